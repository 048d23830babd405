"""The signals that ship: they find what their words say, know nothing of the future, and forget the past when they say they do."""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.component_catalogue import load_catalogue
from sptrader_desktop.adapters.component_columns import python_params
from sptrader_desktop.adapters.component_frames import candle_frame
from sptrader_desktop.adapters.inprocess_components import InProcessRunner
from sptrader_desktop.core.components import ComponentSpec
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.core.strategy import Scalar
from tests.command_line import SAMPLE
from tests.documents import GUIDE, codes, rows
from tests.edits import edited
from tests.golden import fxcm
from tests.indicator_markets import WORKSPACE, answered, candles, catalogue, markets, runner
from tests.signal_rules import RULES, Bar

BARS = 600
# Longer warm-ups are not tried out: their formulas are held against those of their indicators.
LONGEST_WARM_UP = BARS - 200


SIGNALS = [spec for spec in catalogue().found.values() if isinstance(spec, ComponentSpec) and spec.is_signal]
each_signal = pytest.mark.parametrize("spec", SIGNALS, ids=lambda spec: spec.name)


@cache
def sample() -> pd.DataFrame:
    return candle_frame(load_candles(SAMPLE))


def found(
    spec: ComponentSpec, data: pd.DataFrame, params: Mapping[str, Scalar] | None = None, by: InProcessRunner | None = None
) -> pd.DataFrame:
    """The events, which the program believes."""
    return answered(by or runner(), spec, data, params)


@st.composite
def legal_params(draw: st.DrawFn, spec: ComponentSpec, longest: int = 6) -> dict[str, Scalar]:
    """Any that the metadata and the component itself allow, with periods near their least."""
    params: dict[str, Scalar] = {}
    for name, parameter in spec.parameters.items():
        if parameter.type == "int":
            low = int(parameter.low or 1)
            params[name] = Decimal(draw(st.integers(low, min(low + longest, int(parameter.high or low + longest)))))
        elif parameter.type == "float":
            params[name] = draw(st.decimals(parameter.low, parameter.high, places=2))
        else:
            params[name] = draw(st.sampled_from(["1h", "2h", "4h"]))
    assume(accepts(spec, params))
    return params


def accepts(spec: ComponentSpec, params: Mapping[str, Scalar]) -> bool:
    """The component itself may ask that one period be below another."""
    try:
        found(spec, sample().iloc[:3], params)
    except ComponentError as refused:
        if "shorten it" in str(refused):
            return False
        raise
    return True


def difference(first: pd.DataFrame, second: pd.DataFrame) -> str:
    """The first thing in which two tables of events differ; numbers count as equal to nine digits, strengths to five."""
    both = min(len(first), len(second))
    one, other = first.iloc[:both], second.iloc[:both]
    for name in ("stamp", *first.columns):
        values, others = (table.index if name == "stamp" else table[name].to_numpy() for table in (one, other))
        if name in {"stamp", "type"}:
            same = np.asarray(values == others)
        else:
            same = np.isclose(values, others, rtol=1e-9, atol=1e-5 if name == "strength" else 1e-9)
        if not same.all():
            at = int(np.argmin(same))
            return f"{name} of {one['type'].iloc[at]} at {one.index[at]}: {values[at]} against {others[at]}"
    return "" if len(first) == len(second) else f"{len(first)} events against {len(second)}"


def after_an_event(events: pd.DataFrame, data: pd.DataFrame, cut: int) -> int:
    """The first bar from `cut` on that follows an event: who looks ahead by a bar is seen only there."""
    later = data.index.searchsorted(events.index[events.index >= data.index[cut - 1]])
    return min(int(later[0]) + 1, len(data) - 1) if len(later) else cut


def look_ahead(spec: ComponentSpec, data: pd.DataFrame, params: Mapping[str, Scalar], cut: int, by: InProcessRunner | None = None) -> str:
    """What is said of the first bars when the later ones are not there yet, against what is said with all of them."""
    whole = found(spec, data, params, by)
    cut = after_an_event(whole, data, cut)
    return difference(whole[whole.index < data.index[cut]], found(spec, data.iloc[:cut], params, by))


def memory(spec: ComponentSpec, data: pd.DataFrame, params: Mapping[str, Scalar], cut: int, by: InProcessRunner | None = None) -> str:
    """What is said after the warm-up of data that begins later, against what is said with all of it."""
    needed = spec.bars_needed(params)
    assert needed is not None
    settled = data.index[cut + needed - 1]
    whole, late = found(spec, data, params, by), found(spec, data.iloc[cut:], params, by)
    return difference(whole[whole.index >= settled], late[late.index >= settled])


# What a signal says


def bars(data: pd.DataFrame, spec: ComponentSpec, params: Mapping[str, Scalar]) -> Iterator[tuple[pd.Timestamp, Bar, bool]]:
    """Every bar as the rules see it, and whether all that is required has a value there."""
    columns = {str(name): data[name].tolist() for name in data} | {"stamp": [stamp.timestamp() for stamp in data.index]}
    required: dict[str, list[float]] = {}
    for needed in spec.required_indicators:
        indicator = catalogue().indicator(needed.type)
        values = answered(runner(), indicator, data, spec.indicator_params(needed, params))
        # What should be equal differs in the last bits of a float; the eleventh decimal is far below a tick.
        values = values.round(11)
        several = len(indicator.outputs) > 1
        required |= {f"{needed.name}.{name}" if several else needed.name: values[name].tolist() for name in indicator.outputs}
    length = data.index[1] - data.index[0]
    for at, stamp in enumerate(data.index):
        bar = Bar(
            columns | required, python_params(spec.given(params)), stamp.to_pydatetime(), timedelta(seconds=length.total_seconds()), at
        )
        yield stamp, bar, not any(np.isnan(values[at]) for values in required.values())


def agrees(spec: ComponentSpec, data: pd.DataFrame, params: Mapping[str, Scalar]) -> int:
    seen = [(stamp, bar) for stamp, bar, is_known in bars(data, spec, params) if is_known]
    rules = ((stamp, kind, strength) for stamp, bar in seen for kind, strength in RULES[spec.name](bar).items())
    right = sorted((stamp, kind, min(1.0, max(0.0, strength))) for stamp, kind, strength in rules if not np.isnan(strength))
    events = found(spec, data, params)
    events = events[events.index.isin([stamp for stamp, _ in seen])]
    said = sorted(zip(events.index, events["type"], events["strength"], strict=True))
    assert [event[:2] for event in said] == [event[:2] for event in right]
    np.testing.assert_allclose([event[2] for event in said], [event[2] for event in right], atol=1e-5)
    for name, column in passed_on(spec, seen[-1][1].columns).items():
        values = pd.Series(seen[-1][1].columns[column], index=data.index)
        np.testing.assert_allclose(events[name], values[events.index], rtol=1e-9, atol=1e-9)
    return len(right)


def passed_on(spec: ComponentSpec, columns: Mapping[str, list[float]]) -> dict[str, str]:
    """The outputs that are simply those of an indicator, or the close."""
    named = {name: [column for column in columns if column == name or column.endswith(f".{name}")] for name in spec.outputs}
    return {name: found[0] for name, found in named.items() if len(found) == 1} | dict.fromkeys(
        {"current_price"} & set(spec.outputs), "close"
    )


@each_signal
def test_a_signal_finds_what_its_words_say_and_nothing_else(spec: ComponentSpec) -> None:
    events = agrees(spec, sample().iloc[:700], {})
    assert events > 3


@each_signal
@settings(max_examples=2)
@given(st.data())
def test_it_does_so_with_any_legal_parameters_on_any_walk(spec: ComponentSpec, data: st.DataObject) -> None:
    market = candles([("walk", 120), ("wild", 40), ("walk", 120)], data.draw(st.integers(0, 10_000)))
    agrees(spec, market, data.draw(legal_params(spec)))


# Whatever the market


@each_signal
@settings(max_examples=3)
@given(st.data())
def test_on_any_market_events_depend_neither_on_the_future_nor_on_where_the_data_starts(spec: ComponentSpec, data: st.DataObject) -> None:
    market, params = data.draw(markets(BARS)), data.draw(legal_params(spec))
    events = found(spec, market, params)
    assert events["strength"].between(0, 1).all()
    assert np.isfinite(events.drop(columns="type").to_numpy(np.float64)).all()
    assert not pd.MultiIndex.from_arrays([events.index, events["type"]]).has_duplicates
    assert look_ahead(spec, market, params, data.draw(st.integers(1, BARS - 1))) == ""
    needed = spec.bars_needed(params)
    if needed is not None and needed <= LONGEST_WARM_UP:
        assert memory(spec, market, params, data.draw(st.integers(1, BARS - needed))) == ""


@each_signal
def test_on_real_candles_they_depend_on_neither_with_the_parameters_they_come_with(spec: ComponentSpec, real: pd.DataFrame) -> None:
    assert look_ahead(spec, real, {}, 7_001) == ""
    if spec.warm_up != "all":
        assert memory(spec, real, {}, 1_234) == ""


@pytest.fixture(scope="module")
def real(reference: Path) -> pd.DataFrame:
    return candle_frame(fxcm(reference, with_ask=False)).iloc[:9_000]


@each_signal
@settings(max_examples=5)
@given(st.data())
def test_a_warm_up_covers_those_of_the_indicators(spec: ComponentSpec, data: st.DataObject) -> None:
    params = data.draw(legal_params(spec, longest=5_000))
    needed = spec.bars_needed(params)
    for required in spec.required_indicators:
        bars = catalogue().indicator(required.type).bars_needed(spec.indicator_params(required, params))
        assert needed is None or (bars is not None and bars <= needed)


@each_signal
@pytest.mark.parametrize("length", [1, 2])
def test_too_few_candles_are_no_events_and_no_error(spec: ComponentSpec, length: int) -> None:
    assert len(found(spec, sample().iloc[:length])) <= length * len(spec.event_types)


@each_signal
def test_a_file_ends_with_the_call_that_runs_it_alone(spec: ComponentSpec) -> None:
    last = ast.parse(Path(spec.source).read_text(encoding="utf-8")).body[-1]
    assert ast.unparse(last) == f"if __name__ == '__main__':\n    main({spec.class_name}, __metadata__)"


@pytest.mark.parametrize("name", ["bollinger_keltner_squeeze", "candle_reversal"])
def test_run_alone_it_answers_the_same(tmp_path: Path, name: str) -> None:
    spec, written = catalogue().signal(f"signals.{name}"), tmp_path / "events.arrow"
    variables = os.environ | {"TEST_DATASET": str(SAMPLE), "RESULT_PATH": str(written)}
    subprocess.run([sys.executable, spec.source], env=variables, check=True)
    alone = pd.read_feather(written).set_index("timestamp").astype({"type": object})
    pd.testing.assert_frame_equal(alone, found(spec, sample()), check_dtype=False)


def test_there_is_a_rule_for_each_signal_and_none_for_others() -> None:
    assert RULES.keys() == {spec.name for spec in SIGNALS}


def test_the_guide_describes_each_as_its_metadata_does() -> None:
    told = {codes(name)[0]: row for name, *row in rows(GUIDE, "signal") if codes(name)}
    assert told.keys() == {spec.name for spec in SIGNALS}
    for spec in SIGNALS:
        parameters, events, outputs, strength, what = told[spec.name]
        assert parameters == ", ".join(f"`{name}` {parameter.default}" for name, parameter in spec.parameters.items())
        assert (tuple(codes(events)), tuple(codes(outputs))) == (spec.event_types, spec.outputs)
        assert strength
        assert what == described(spec)


def described(spec: ComponentSpec) -> str:
    module = ast.parse(Path(spec.source).read_text(encoding="utf-8"))
    (metadata,) = [node.value for node in module.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__metadata__"]
    return str(ast.literal_eval(metadata)["description"])


# What is not tried above


@pytest.mark.parametrize("minutes", [30, 60])
def test_sessions_keep_their_cities_clocks_when_these_change(minutes: int) -> None:
    """Some weeks in spring and autumn London and New York have changed and the other has not; Tokyo never does."""
    spec, length = catalogue().signal("signals.session_filter"), np.timedelta64(minutes, "m")
    weeks = (("2024-03-01", "2024-04-05"), ("2024-10-20", "2024-11-10"))
    stamps = np.concatenate([np.arange(start, end, length, dtype="M8[us]") for start, end in weeks])
    year = pd.DataFrame(1.1, columns=["open", "high", "low", "close", "volume"], index=pd.DatetimeIndex(stamps).tz_localize("UTC"))
    year.attrs = {"symbol": "EURUSD", "timeframe": f"{minutes}m", "ticks_per_one": 100_000}
    assert agrees(spec, year, {}) > len(year)
    london = found(spec, year)
    london = london[london["type"] == "london"]
    closes = (pd.DatetimeIndex(london.index) + pd.Timedelta(length)).tz_convert("Europe/London")
    assert (london["london_hours"] == closes.hour + closes.minute / 60 - 8).all()


@settings(max_examples=10)
@given(markets(BARS), st.sampled_from(["2h", "4h", "12h"]), st.integers(1, 8), st.integers(1, 200))
def test_a_longer_timeframe_is_remembered_for_its_bars_and_one_more(market: pd.DataFrame, timeframe: str, period: int, cut: int) -> None:
    """Its metadata cannot say so, because how many candles make a longer bar is not among its parameters."""
    spec = catalogue().signal("signals.higher_timeframe_trend")
    params: dict[str, Scalar] = {"timeframe": timeframe, "period": Decimal(period)}
    hours = int(timeframe[:-1])
    # The bar that the cut goes through counts among the remembered ones, and over a weekend no time is traded.
    settled = market.index[cut] + timedelta(hours=hours * (period + 1) + 49)
    whole, late = found(spec, market, params), found(spec, market.iloc[cut:], params)
    assert difference(whole[whole.index >= settled], late[late.index >= settled]) == ""


@pytest.mark.parametrize("name", ["money_flow_reversal", "volume_divergence", "volume_backed_breakout", "vwap_reversion"])
def test_without_volume_there_is_nothing_to_say_about_it(name: str) -> None:
    assert len(found(catalogue().signal(f"signals.{name}"), sample().assign(volume=0.0))) == 0


CHEATS = [
    ("ema_crossover", 'indicators["ema_fast"]', 'indicators["ema_fast"].shift(-1)', "look_ahead"),
    ("rsi_reversal", 'indicators["rsi"]\n', 'indicators["rsi"].rolling(5, center=True).mean()\n', "look_ahead"),
    ("cci_reversal", "cci.shift(1).abs() / self.level - 1", "cci.abs() / cci.abs().mean() / 5", "look_ahead"),
    ("higher_timeframe_trend", 'bars["close"], self', 'bars["close"].shift(-1), self', "look_ahead"),
    ("session_filter", "1.0,", "is_open['london'][-1],", "look_ahead"),
    ("hull_turn", '"2 * period + 2"', '"period - 1"', "memory"),
    ("zscore_reversion", "2 * (zscore", "zscore.expanding().max() * (zscore", "memory"),
    ("inside_bar_breakout", "1 - inside", "np.arange(len(data)) / len(data) - inside", "memory"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "sin"), CHEATS, ids=[cheat[0] for cheat in CHEATS])
def test_a_signal_that_cheats_is_seen_by_these_tests(tmp_path: Path, name: str, old: str, new: str, sin: str) -> None:
    shutil.copytree(WORKSPACE / "core", tmp_path / "core", ignore=shutil.ignore_patterns("__pycache__"))
    path = tmp_path / "core" / "signals" / f"{name}.py"
    honest, market = catalogue().signal(f"signals.{name}"), sample().iloc[:1_200]
    check = {"look_ahead": look_ahead, "memory": memory}[sin]
    cuts = range(700, 1_000, 60)
    assert [check(honest, market, {}, cut) for cut in cuts] == [""] * len(cuts)
    path.write_text(edited(path.read_text(encoding="utf-8"), old, new), encoding="utf-8")
    cheat = load_catalogue(tmp_path)
    assert any(check(cheat.signal(f"signals.{name}"), market, {}, cut, InProcessRunner(tmp_path, cheat)) for cut in cuts)
