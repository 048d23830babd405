"""What components say about themselves: read without running them, checked to the line, and held against the strategies that use them."""

import os
from decimal import Decimal
from pathlib import Path

import pytest

from sptrader_desktop.adapters.component_catalogue import load_catalogue
from sptrader_desktop.adapters.yaml_strategy import parse_strategy
from sptrader_desktop.core.components import Catalogue, ParameterSpec, RequiredIndicator, warm_up_bars
from sptrader_desktop.core.errors import ComponentError, SptraderError, StrategyError
from tests.edits import bad_edits, edited, ids

ROOT = Path(__file__).resolve().parent.parent

SMA = """\
raise SystemExit("nobody may run this")
__metadata_version__ = 2
__metadata__ = {
    "name": "sma",
    "family": "trend",
    "parameters": {
        "period": {"type": "int", "default": 20, "min": 1, "max": 500},
        "weight": {"type": "float", "default": 0.1, "min": -1.5},
        "source": {"type": "str", "default": "close", "choices": ["close", "open"]},
        "centred": {"type": "bool", "default": False},
    },
    "outputs": ["sma"],
    "warm_up": "period",
}


class SMA:
    def calculate(self, data): ...
"""

CROSS = """\
__metadata_version__: int = 2
__metadata__: dict = {
    "name": "cross",
    "parameters": {"fast": {"type": "int", "default": 20}, "slow": {"type": "int", "default": 50, "max": 300}},
    "required_indicators": [
        {"name": "quick", "type": "sma", "params": {"period": "fast"}},
        {"name": "slow", "type": "indicators.trend.sma", "params": {"period": "slow", "weight": 0.5}},
    ],
    "event_types": ["golden", "death"],
    "outputs": ["quick", "slow"],
    "warm_up": "max(fast, slow) + 1",
}


class Helper:
    def other(self): ...


class Cross:
    def evaluate(self, data, indicators): ...
"""


def workspace(folder: Path, sma: str = SMA, cross: str = CROSS) -> Path:
    for name, text in (("indicators/trend/sma.py", sma), ("signals/cross.py", cross)):
        path = folder / "core" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def ascii_start(text: str) -> str:
    return ascii(text[:10])


def test_metadata_becomes_a_spec_and_no_component_is_run(tmp_path: Path) -> None:
    catalogue = load_catalogue(workspace(tmp_path))
    sma, cross = catalogue.indicator("sma"), catalogue.signal("signals.cross")
    assert (sma.dotted, sma.name, sma.class_name, sma.outputs, sma.line) == ("indicators.trend.sma", "sma", "SMA", ("sma",), 3)
    assert (sma.title, sma.levels) == ("Sma", ()), "what a file does not say"
    assert sma.parameters == {
        "period": ParameterSpec("int", Decimal(20), Decimal(1), Decimal(500)),
        "weight": ParameterSpec("float", Decimal("0.1"), Decimal("-1.5")),
        "source": ParameterSpec("str", "close", choices=("close", "open")),
        "centred": ParameterSpec("bool", False),
    }
    assert catalogue.indicator("indicators.trend.sma") is sma
    assert (cross.class_name, cross.event_types, cross.outputs) == ("Cross", ("golden", "death"), ("quick", "slow"))
    assert cross.required_indicators[0] == RequiredIndicator("quick", "sma", {"period": "fast"})
    assert cross.source == str(tmp_path / "core" / "signals" / "cross.py")


def test_a_signal_hands_its_own_parameters_to_its_indicators_and_to_its_warm_up(tmp_path: Path) -> None:
    cross = load_catalogue(workspace(tmp_path)).signal("signals.cross")
    given = {"slow": Decimal(80)}
    assert [cross.indicator_params(required, given) for required in cross.required_indicators] == [
        {"period": Decimal(20)},
        {"period": Decimal(80), "weight": Decimal("0.5")},
    ]
    assert (cross.bars_needed({}), cross.bars_needed(given)) == (51, 81)


def test_the_components_that_ship_are_whole_and_agree() -> None:
    catalogue = load_catalogue(ROOT / "workspace")
    assert [name for name, found in catalogue.found.items() if isinstance(found, ComponentError)] == []
    rsi, titles = catalogue.indicator("rsi"), [catalogue.indicator(name).title for name in catalogue.indicators]
    assert (rsi.title, rsi.levels) == ("Relative Strength Index (RSI)", (30.0, 70.0))
    assert len(set(titles)) == len(titles)
    cross = catalogue.signal("signals.ma_crossover")
    assert cross.event_types == ("golden_cross", "death_cross")
    assert cross.bars_needed({}) == 51
    assert [
        catalogue.indicator(required.type).bars_needed(cross.indicator_params(required, {})) for required in cross.required_indicators
    ] == [20, 50]


@pytest.mark.parametrize(
    ("rule", "bars"), [("all", None), ("7", 7), ("2 * a + b - 1", 22), ("max(a, b, 9)", 10), ("a - b - 30", 1), ("-1 + a - (b - 2)", 8)]
)
def test_a_warm_up_is_counted_from_the_parameters(rule: str, bars: int | None) -> None:
    if rule.startswith("-"):
        with pytest.raises(ValueError, match="is neither a whole number nor a parameter"):
            warm_up_bars(rule, {"a": Decimal(10), "b": Decimal(3)})
    else:
        assert warm_up_bars(rule, {"a": Decimal(10), "b": Decimal(3)}) == bars


BAD_INDICATORS, BAD_SIGNALS, MISUSED = (bad_edits(f"{name}.txt") for name in ("bad_indicators", "bad_signals", "misused_components"))


@pytest.mark.parametrize(("old", "new", "said"), BAD_INDICATORS, ids=ids(BAD_INDICATORS))
def test_bad_metadata_is_refused_with_file_and_line(tmp_path: Path, old: str, new: str, said: list[str]) -> None:
    catalogue = load_catalogue(workspace(tmp_path, sma=edited(SMA, old, new)))
    with pytest.raises(ComponentError) as caught:
        catalogue.indicator("sma")
    path = tmp_path / "core" / "indicators" / "trend" / "sma.py"
    assert str(caught.value).splitlines() == [f"{path}:{line}" for line in said]


@pytest.mark.parametrize(("old", "new", "said"), BAD_SIGNALS, ids=ids(BAD_SIGNALS))
def test_a_bad_signal_or_one_that_asks_for_what_is_not_there_harms_nothing_else(
    tmp_path: Path, old: str, new: str, said: list[str]
) -> None:
    catalogue = load_catalogue(workspace(tmp_path, cross=edited(CROSS, old, new)))
    with pytest.raises(ComponentError) as caught:
        catalogue.signal("signals.cross")
    path = tmp_path / "core" / "signals" / "cross.py"
    assert str(caught.value).splitlines() == [f"{path}:{line}" for line in said]
    assert catalogue.indicator("sma").name == "sma"


@pytest.mark.parametrize("text", ["x = " + "(" * 5000, "x = " + "-" * 100_000 + "1", "x\0", "\xff" * 3, "x = [\n"], ids=ascii_start)
def test_what_is_not_python_is_refused_whatever_it_is(tmp_path: Path, text: str) -> None:
    path = workspace(tmp_path) / "core" / "signals" / "cross.py"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ComponentError, match=r"cross\.py:\d+: is not Python: ."):
        load_catalogue(tmp_path).signal("signals.cross")


def test_components_that_cannot_be_read_are_errors_of_their_own(tmp_path: Path) -> None:
    path = workspace(tmp_path) / "core" / "signals" / "cross.py"
    path.write_text("#" * (1024 * 1024 + 1))
    with pytest.raises(ComponentError, match=r"cross\.py is larger than 1024 KiB"):
        load_catalogue(tmp_path).signal("signals.cross")
    path.unlink()
    path.mkdir()
    with pytest.raises(ComponentError, match=r"cross\.py cannot be read \(.+\): check the file"):
        load_catalogue(tmp_path).signal("signals.cross")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has none")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "core" / "signals").mkdir(parents=True)
    os.mkfifo(tmp_path / "core" / "signals" / "cross.py")
    with pytest.raises(ComponentError, match=r"cross\.py is a pipe"):
        load_catalogue(tmp_path).signal("signals.cross")


def test_unknown_names_are_answered_with_the_nearest_and_ambiguous_ones_with_all(tmp_path: Path) -> None:
    catalogue = load_catalogue(workspace(tmp_path))
    with pytest.raises(ComponentError, match=r"^the workspace has no component signals\.cros; did you mean 'signals\.cross'\?$"):
        catalogue.signal("signals.cros")
    with pytest.raises(ComponentError, match=r"^the workspace has no component indicators\.trend\.sma$"):
        catalogue.signal("indicators.trend.sma")
    other = tmp_path / "core" / "indicators" / "other" / "sma.py"
    other.parent.mkdir()
    other.write_text(edited(SMA, '"trend"', '"other"'), encoding="utf-8")
    with pytest.raises(ComponentError, match=r"^sma names several indicators \(indicators\.other\.sma, indicators\.trend\.sma\)"):
        load_catalogue(tmp_path).indicator("sma")


def test_private_files_are_no_components_and_a_folder_without_core_is_no_workspace(tmp_path: Path) -> None:
    workspace(tmp_path)
    (tmp_path / "core" / "signals" / "_shared.py").write_text("x = 1\n")
    (tmp_path / "core" / "signals" / "__init__.py").write_text("")
    assert sorted(load_catalogue(tmp_path).found) == ["indicators.trend.sma", "signals.cross"]
    with pytest.raises(SptraderError, match=r"is no workspace, it has no folder core: choose another folder$"):
        load_catalogue(tmp_path / "core")


# Strategies against components

STRATEGY = """\
name: crossing
version: "1"
dependencies:
  indicators: [indicators.trend.sma]
  signals: [{use: signals.cross, params: {fast: 10, slow: parameters.slow}}]
parameters: {slow: 50}
entry:
  when: [{signal: cross, outputs: {crossover_type: golden, signal_strength: "> 0.1", quick: "> 1"}}]
  action: buy
  size: 1
"""


def complaints(text: str, catalogue: Catalogue) -> list[str]:
    with pytest.raises(StrategyError) as caught:
        parse_strategy(text, "s.yaml", catalogue)
    return [line.removeprefix("s.yaml:") for line in str(caught.value).splitlines()]


@pytest.mark.parametrize(("old", "new", "said"), MISUSED, ids=ids(MISUSED))
def test_a_strategy_is_held_against_what_its_components_declare(tmp_path: Path, old: str, new: str, said: list[str]) -> None:
    catalogue = load_catalogue(workspace(tmp_path))
    assert parse_strategy(STRATEGY, "s.yaml", catalogue).signals[0].params == {"fast": 10, "slow": 50}
    assert complaints(edited(STRATEGY, old, new), catalogue) == said


def test_a_strategy_on_a_broken_component_is_refused_with_the_components_own_complaint(tmp_path: Path) -> None:
    catalogue = load_catalogue(workspace(tmp_path, cross=edited(CROSS, '"name": "cross"', '"name": "crss"')))
    path = tmp_path / "core" / "signals" / "cross.py"
    assert complaints(STRATEGY, catalogue) == [
        f"5:19: dependencies.signals.0.use = signals.cross: is broken: {path}:3: name = crss: must be the file's name, cross"
    ]
