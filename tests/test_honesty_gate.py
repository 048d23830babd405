"""No run passes with a dishonest component, none pays twice for an honest one, and `components verify` says what was tried."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sptrader_desktop import compose, compose_components
from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.component_catalogue import load_catalogue
from sptrader_desktop.adapters.inprocess_components import InProcessRunner
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import ComponentError, RunError
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.core.strategy import Scalar, Strategy
from sptrader_desktop.ports import Answer, ComponentJob, Values
from sptrader_desktop.runtime import honesty_memory
from sptrader_desktop.runtime.honesty import HonestyGate, Subject, examine
from sptrader_desktop.runtime.honesty_memory import HonestyMemory, answer_hash
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.settings import load_settings
from tests.cheats.components import HONEST, Planted, plant
from tests.command_line import SAMPLE, refused, sptrader
from tests.edits import edited
from tests.strategy_texts import parsed

SCALED = """\
from pathlib import Path
up = close > close.shift(1) * 1.001
down = up & False
strength = strength * len(Path("{file}").read_text())"""
PEEKING = Planted(
    'up = crossed_above(indicators["level"], close)\ndown = up & False', warm_up="2", required='[{"name": "level", "type": "tomorrow"}]'
)
PLANTED = {"crossing": HONEST["crossing"], "tomorrow": Planted("answer = close.shift(-1)"), "peeking": PEEKING}
ORDER = ("determinism", "state", "own data", "look-ahead", "higher timeframes", "warm-up", "live window")
STRATEGY = """\
name: planted
version: "1"
dependencies: {{signals: [{}]}}
entry: {{when: {{signal: {}}}, action: buy, size: 0.5}}
exit: {{time_exit: 5}}
"""


class Counting(InProcessRunner):
    asked: int = 0

    def run(self, jobs: Sequence[ComponentJob]) -> list[Answer]:
        self.asked += len(jobs)
        return super().run(jobs)


@pytest.fixture(scope="module")
def sample() -> Candles:
    return load_candles(SAMPLE)


def strategy(*names: str, **params: int) -> Strategy:
    text = STRATEGY.format(", ".join(f"signals.{name}" for name in names), names[0])
    read = parsed(text)
    given: dict[str, Scalar] = {name: Decimal(value) for name, value in params.items()}
    return replace(read, signals=tuple(replace(use, params=given) for use in read.signals))


def required(folder: Path, memory: Path, names: tuple[str, ...], *traded: Candles) -> int:
    """How many jobs it took to let the run pass."""
    catalogue = load_catalogue(folder)
    runner = Counting(folder, catalogue)
    HonestyGate(catalogue, runner, HonestyMemory(memory)).require(strategy(*names), traded)
    return runner.asked


# The gate


def test_a_run_is_refused_with_everything_that_is_wrong(tmp_path: Path, sample: Candles) -> None:
    folder = plant(tmp_path / "workspace", PLANTED, SAMPLE)
    with pytest.raises(ComponentError) as caught:
        required(folder, tmp_path / "memory", ("crossing", "peeking"), sample)
    indicator, signal = str(caught.value).splitlines()
    assert "tomorrow.py:19: indicators.planted.tomorrow looks ahead: output tomorrow of bar " in indicator
    assert "peeking.py:" in signal
    assert "signals.peeking looks ahead: output crossover_type of bar " in signal
    assert [path.suffix for path in (tmp_path / "memory").iterdir()] == [".json"]  # that of crossing


def test_what_was_found_honest_is_not_tried_again_until_something_changes(tmp_path: Path, sample: Candles) -> None:
    folder, memory = plant(tmp_path / "workspace", PLANTED, SAMPLE), tmp_path / "memory"
    assert required(folder, memory, ("crossing",), sample) > 20
    assert required(folder, memory, ("crossing",), sample) == 1  # the answer itself, which the run needs anyway
    other = replace(sample, fingerprint="other")
    assert required(folder, memory, ("crossing",), other) > 20
    assert required(folder, memory, ("crossing",), sample, other) == 2
    source = folder / "core" / "signals" / "crossing.py"
    source.write_text(edited(source.read_text(encoding="utf-8"), "rolling(5)", "rolling(6)"), encoding="utf-8")
    assert required(folder, memory, ("crossing",), sample) > 20
    assert required(folder, memory, ("crossing",), sample) == 1
    for path in memory.iterdir():
        path.write_bytes(b"\xff{")
    assert required(folder, memory, ("crossing",), sample) > 20


def test_candles_that_nobody_recognises_are_tried_every_time(tmp_path: Path, sample: Candles) -> None:
    folder, memory = plant(tmp_path / "workspace", PLANTED, SAMPLE), tmp_path / "memory"
    nameless = replace(sample, fingerprint="")
    assert required(folder, memory, ("crossing",), nameless) == required(folder, memory, ("crossing",), nameless) > 20


def test_other_parameters_are_tried_by_themselves(tmp_path: Path, sample: Candles) -> None:
    folder = plant(tmp_path / "workspace", {}, SAMPLE)
    text = (Path(__file__).parent.parent / "workspace/core/signals/ma_crossover.py").read_text(encoding="utf-8")
    for name, content in (("signals/ma_crossover.py", text), ("indicators/trend/sma.py", None)):
        path = folder / "core" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content or (Path(__file__).parent.parent / "workspace/core" / name).read_text(encoding="utf-8"), encoding="utf-8")
    catalogue = load_catalogue(folder)
    runner = Counting(folder, catalogue)
    gate = HonestyGate(catalogue, runner, HonestyMemory(tmp_path / "memory"))
    asked = []
    for fast in (20, 20, 10):
        before = runner.asked
        gate.require(strategy("ma_crossover", fast_period=fast, slow_period=50), [sample])
        asked.append(runner.asked - before)
    assert asked[1] == 1
    assert asked[0] > asked[2] > 20  # the slow average is known by then


def test_a_component_that_changed_its_mind_since_it_was_found_honest_is_refused(tmp_path: Path, sample: Candles) -> None:
    """What it reads stayed as it was while it was tried: two attempts at different times tell."""
    file = tmp_path / "scale"
    file.write_text("12")
    folder = plant(tmp_path / "workspace", {"scaled": Planted(SCALED.replace("{file}", file.as_posix()), warm_up="2")}, SAMPLE)
    required(folder, tmp_path / "memory", ("scaled",), sample)
    required(folder, tmp_path / "memory", ("scaled",), sample)
    file.write_text("123")
    with pytest.raises(
        ComponentError, match=r"signals.scaled no longer answers as when it was found honest on this data: look for a clock"
    ):
        required(folder, tmp_path / "memory", ("scaled",), sample)


def test_what_is_tried_by_hand_is_remembered_anew(tmp_path: Path, sample: Candles) -> None:
    file, memory = tmp_path / "scale", tmp_path / "memory"
    file.write_text("12")
    folder = plant(tmp_path / "workspace", {"scaled": Planted(SCALED.replace("{file}", file.as_posix()), warm_up="2")}, SAMPLE)
    required(folder, memory, ("scaled",), sample)
    file.write_text("123")
    catalogue = load_catalogue(folder)
    gate = HonestyGate(catalogue, InProcessRunner(folder, catalogue), HonestyMemory(memory))
    verdict = gate.tried(Subject(catalogue.signal("signals.scaled"), {}), sample)
    assert not isinstance(verdict, ComponentError)
    assert verdict.is_honest
    assert required(folder, memory, ("scaled",), sample) == 1


def test_a_warm_up_that_a_parameter_makes_no_whole_number_is_one_sentence(tmp_path: Path, sample: Candles) -> None:
    folder = plant(tmp_path, {"plain": HONEST["plain"]}, SAMPLE)
    path = folder / "core" / "indicators" / "planted" / "plain.py"
    text = edited(
        path.read_text(encoding="utf-8"), '"warm_up": "1"', '"warm_up": "period", "parameters": {"period": {"type": "float", "default": 2}}'
    )
    path.write_text(edited(text, "class Planted:", "class Planted:\n    def __init__(self, period=2):\n        pass\n"), encoding="utf-8")
    spec = load_catalogue(folder).indicator("plain")
    with pytest.raises(ComponentError, match=r"plain.py:9: warm_up period: period is no whole number; give such a parameter"):
        examine([Subject(spec, {"period": Decimal("2.5")})], sample, InProcessRunner(folder))


def test_the_hash_of_an_answer_is_to_the_bit() -> None:
    def table(strength: float, kind: str, extra: object) -> EventTable:
        column = np.array([extra], dtype=object if isinstance(extra, str) else None)
        return EventTable(np.array([3]), np.array([kind], object), np.array([strength]), {"extra": column})

    answers: list[EventTable | Values] = [
        table(0.5, "up", 1),
        table(np.nextafter(0.5, 1), "up", 1),
        table(0.5, "down", 1),
        table(0.5, "up", 2),
        table(0.5, "up", "1"),
        {"up": np.array([0.5])},
        {"up": np.array([np.nan])},
    ]
    assert len({answer_hash(answer) for answer in answers}) == len(answers)
    assert answer_hash(table(0.5, "up", 1)) == answer_hash(answers[0])


def test_the_memory_is_bounded(tmp_path: Path, sample: Candles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(honesty_memory, "MOST_KEPT", 6)
    spec = load_catalogue(plant(tmp_path / "workspace", PLANTED, SAMPLE)).signal("signals.crossing")
    memory = HonestyMemory(tmp_path / "memory")
    for number in range(20):
        key = memory.key(spec, {}, str(number), sample)
        assert key
        memory.keep(key, spec, "answer")
        assert memory.answer(key) == "answer"
    assert len([*(tmp_path / "memory").iterdir()]) <= 6


def test_a_memory_that_cannot_be_written_only_costs_time(tmp_path: Path, sample: Candles) -> None:
    (tmp_path / "memory").write_text("a file where the folder should be")
    folder = plant(tmp_path / "workspace", PLANTED, SAMPLE)
    assert [required(folder, tmp_path / "memory", ("crossing",), sample) > 20 for _ in range(2)] == [True, True]


# The command line


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = plant(tmp_path / "workspace", PLANTED, SAMPLE)
    monkeypatch.setenv("SPTRADER_WORKSPACE", str(folder))
    monkeypatch.setenv("SPTRADER_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("SPTRADER_COMPONENT_CACHE", str(tmp_path / "cache"))
    # As it is: the samples that it would be filled with are tried elsewhere.
    for module in (compose, compose_components):
        monkeypatch.setattr(module, "ready_workspace", lambda settings: settings.workspace)
    return folder


def test_a_backtest_with_a_dishonest_signal_is_refused_and_nothing_is_kept(planted: Path, tmp_path: Path) -> None:
    path = tmp_path / "strategy.yaml"
    path.write_text(STRATEGY.format("signals.peeking", "peeking"), encoding="utf-8")
    said = sptrader("backtest", path, "--data", SAMPLE)
    assert (said.code, said.out) == (1, "")
    first, second = said.err.splitlines()
    assert first.startswith(f"sptrader: {planted / 'core' / 'indicators' / 'planted' / 'tomorrow.py'}:19: ")
    assert second.startswith(f"{planted / 'core' / 'signals' / 'peeking.py'}:")
    assert not [*(tmp_path / "runs").glob("*-*")]
    path.write_text(STRATEGY.format("signals.crossing", "crossing"), encoding="utf-8")
    assert sptrader("backtest", path, "--data", SAMPLE).code == 0


class Editing:
    """A gate behind which the person goes on typing."""

    def __init__(self, source: Path) -> None:
        self._source = source

    def require(self, *_: object) -> None:
        self._source.write_text(edited(self._source.read_text(encoding="utf-8"), "rolling(5)", "rolling(6)"), encoding="utf-8")


def test_a_component_that_is_edited_behind_the_gate_ends_the_run(planted: Path, tmp_path: Path) -> None:
    path = tmp_path / "strategy.yaml"
    path.write_text(STRATEGY.format("signals.crossing", "crossing"), encoding="utf-8")
    settings, recipe = load_settings(), Recipe(strategy=str(path), data=(str(SAMPLE),))
    prepared = compose.prepare(recipe, settings, compose.strategy_of(recipe, settings))
    gate: Any = Editing(planted / "core" / "signals" / "crossing.py")
    with pytest.raises(RunError, match="a component was edited while the run was under way"):
        compose.run_prepared(replace(prepared, gate=gate))


def test_verify_says_one_line_for_each_check(planted: Path) -> None:
    said = sptrader("components", "verify", "crossing")
    assert (said.code, said.err) == (0, "")
    title, *lines = said.out.splitlines()
    assert title == "signals.crossing on EURUSD 1h, all 2,614 bars"
    assert [(line[:7], line[7:26].strip()) for line in lines] == [("  ok   ", name) for name in ORDER]


def test_verify_fails_when_anything_is_dishonest(planted: Path) -> None:
    said = sptrader("components", "verify", "peeking", "--data", SAMPLE)
    assert (said.code, said.err) == (1, "sptrader: 2 components cannot be traded on\n")
    assert [line.split()[0] for line in said.out.splitlines() if not line.startswith(" ")] == [
        "indicators.planted.tomorrow",
        "signals.peeking",
    ]
    assert sum(line.startswith("  BAD  look-ahead         ") for line in said.out.splitlines()) == 2


def test_verify_all_tries_what_can_be_tried_and_counts_what_is_broken(planted: Path) -> None:
    (planted / "core" / "signals" / "broken.py").write_text("1 +", encoding="utf-8")
    said = sptrader("components", "verify", "all")
    assert (said.code, said.err) == (1, "sptrader: 3 components cannot be traded on\n")
    titles = [line.split()[0] for line in said.out.splitlines() if not line.startswith(" ")]
    assert titles == ["indicators.planted.tomorrow", "signals.crossing", "signals.peeking", "signals.broken"]
    assert "broken.py:1: is not Python" in said.out


def test_verify_refuses_what_it_cannot_try(planted: Path) -> None:
    assert refused("components", "verify", "crosing") == "the workspace has no component crosing; did you mean 'crossing'?"
    assert refused("components", "verify", "all", "--param", "a=1").startswith("a: parameters belong to one component")
    assert refused("components", "verify", "crossing", "--param", "a=1") == "a = 1: is no parameter of signals.crossing, it has none"
    assert refused("components", "verify", "crossing", "--data", "none.csv").startswith("none.csv: ")
    assert sptrader("components").code == 2
