"""Users' scripts on real candles: what they answer is believed only when it can be, and they cannot touch what the engine trades on."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop import sdk
from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.component_frames import candle_frame
from sptrader_desktop.adapters.inprocess_components import InProcessRunner
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.core.strategy import Scalar
from sptrader_desktop.ports import ComponentJob
from tests.command_line import ROOT, SAMPLE
from tests.component_files import GOOD, workspace
from tests.edits import edited
from tests.golden import fxcm
from tests.small_runs import answered, hourly


def job(candles: Candles | None = None, **params: Scalar) -> ComponentJob:
    return ComponentJob("signals.cross", params, candles or hourly())


def complaint(folder: Path) -> str:
    """The one sentence about a component, from the file's name in the workspace on."""
    with pytest.raises(ComponentError) as caught:
        answered(InProcessRunner(folder), job())
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.startswith(f"{folder}{os.sep}core{os.sep}")
    return sentence.removeprefix(f"{folder}{os.sep}core{os.sep}")


def rows(table: EventTable) -> list[tuple[int, str, float]]:
    return list(zip(table.bar.tolist(), table.type.tolist(), table.strength.tolist(), strict=True))


# Answers that cannot be believed


def test_a_good_answer_becomes_a_table_over_bars(tmp_path: Path) -> None:
    table = answered(InProcessRunner(workspace(tmp_path)), job())
    assert rows(table) == [(2, "up", 0.5), (5, "down", 1.0)]
    assert table.metadata["extra"].tolist() == [1.103, 1.1041]
    assert rows(answered(InProcessRunner(workspace(tmp_path, 'events(at[:0], "up", 1.0, extra=1)')), job())) == []


BAD_ANSWERS = {
    "1 / 0": "signals/cross.py:25: ZeroDivisionError: division by zero; mend",
    'int("two\\nlines")': "signals/cross.py:25: ValueError: invalid literal for int() with base 10: 'two\\nlines'; mend",
    "self.absent": "signals/cross.py:25: AttributeError: 'Cross' object has no attribute 'absent'; mend",
    "sys.exit(0)": "signals/cross.py:25: SystemExit: 0; mend",
    'indicators["other"]': "signals/cross.py:25: KeyError: 'other'; mend",
    "None": "signals/cross.py: evaluate returned NoneType: return a DataFrame with columns type and strength",
    "[]": "signals/cross.py: evaluate returned list: return a DataFrame",
    'pd.DataFrame({"strength": [1.0]}, index=at[:1])': "signals/cross.py: evaluate returned no column type",
    'pd.DataFrame({"type": ["up"]}, index=at[:1])': "signals/cross.py: evaluate returned no column strength",
    'events(at, "up", 1.0)': "signals/cross.py: evaluate returned no column extra: it is declared in outputs",
    'pd.concat([events(at, "up", 1.0, extra=1)] * 2, axis=1)': "signals/cross.py: evaluate returned column type twice",
    'events(at, ["up", "aside"], 1.0, extra=1)': "event 2 at 2024-01-02 13:00:00+00:00: type 'aside' is not among its event_types up, down",
    'events(at, ["up", None], 1.0, extra=1)': "event 2 at 2024-01-02 13:00:00+00:00: type nan is not among its event_types",
    'events(at, pd.Series([np.zeros(2), "up"], index=at), 1.0, extra=1)': "10:00:00+00:00: type array([0., 0.]) is not",
    'events(at, "up", [0.5, float("nan")], extra=1)': "event 2 at 2024-01-02 13:00:00+00:00: strength is nan, not a number",
    'events(at, "up", [0.5, float("-inf")], extra=1)': "event 2 at 2024-01-02 13:00:00+00:00: strength is -inf, not a number",
    'events(at, "up", [0.5, "much"], extra=1)': "event 2 at 2024-01-02 13:00:00+00:00: strength is 'much', not a number",
    'events(at, "up", ["0.5", "much"], extra=1)': "event 1 at 2024-01-02 10:00:00+00:00: strength is '0.5', not a number",
    'events(at, "up", pd.array([0.5, None], dtype="Float64"), extra=1)': "strength is",
    'events(at, "up", at, extra=1)': "strength is",
    'events(at, "up", 1.0, extra=[1.0, float("nan")])': "event 2 at 2024-01-02 13:00:00+00:00: extra is nan, not a number",
    'events(at[::-1], "up", 1.0, extra=1)': "event 2 at 2024-01-02 10:00:00+00:00: it comes before the event above it: sort them by time",
    'events(at + pd.Timedelta("1D"), "up", 1.0, extra=1)': "event 1 at 2024-01-03 10:00:00+00:00: there is no candle with that stamp",
    'events(at + pd.Timedelta("1us"), "up", 1.0, extra=1)': "there is no candle with that stamp",
    'events(pd.DatetimeIndex([pd.NaT, pd.NaT], tz="UTC"), "up", 1.0, extra=1)': "event 1 at NaT: there is no candle with that stamp",
    'events(at.tz_localize(None), "up", 1.0, extra=1)': "events must be indexed by the stamps of their bars in UTC",
    'events([2, 5], "up", 1.0, extra=1)': "events must be indexed by the stamps of their bars in UTC",
}


@pytest.mark.parametrize("answer", BAD_ANSWERS)
def test_an_answer_that_cannot_be_believed_is_one_sentence_that_names_the_file(tmp_path: Path, answer: str) -> None:
    said = complaint(workspace(tmp_path, answer))
    assert said.startswith("signals/cross.py")
    assert BAD_ANSWERS[answer] in said


BAD_VALUES = {
    "3": "indicators/test/plain.py: calculate returned int: return a Series or a DataFrame",
    'data["close"].to_numpy()': "indicators/test/plain.py: calculate returned ndarray: return a Series or a DataFrame",
    'data["close"][1:]': "indicators/test/plain.py: calculate returned 9 values for 10 candles: return one for each",
    'data["close"].reset_index(drop=True)': "indicators/test/plain.py: calculate returned another index than the candles': keep data.index",
    'data["close"][::-1]': "calculate returned another index than the candles'",
    'data["close"].astype(str)': "indicators/test/plain.py: calculate returned values of type str: return numbers",
    'data[["close"]]': "indicators/test/plain.py: calculate returned no column plain: it is declared in outputs",
    'data["shut"]': "indicators/test/plain.py:10: KeyError: 'shut'; mend the component or its parameters",
}


@pytest.mark.parametrize("values", BAD_VALUES)
def test_an_indicator_that_cannot_be_believed_stops_the_signal_that_needs_it(tmp_path: Path, values: str) -> None:
    assert BAD_VALUES[values] in complaint(workspace(tmp_path, values=values))


def test_an_indicator_may_lack_values_and_may_have_several_columns(tmp_path: Path) -> None:
    one = workspace(tmp_path / "one", values='data["close"].where(data["close"] > 1.102)')
    several = workspace(tmp_path / "several", values='pd.DataFrame({"plain": data["close"], "other": np.nan})')
    assert rows(answered(InProcessRunner(one), job())) == rows(answered(InProcessRunner(several), job()))


def test_a_script_may_use_dataclasses_and_postponed_annotations(tmp_path: Path) -> None:
    folder = workspace(tmp_path, GOOD.replace('"up", "down"', "Kinds().first, Kinds().second"))
    path = folder / "core" / "signals" / "cross.py"
    kinds = '@dataclass\nclass Kinds:\n    first: str = "up"\n    second: str = "down"\n\n\nclass Cross:'
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\n" + path.read_text()
    path.write_text(edited(text, "class Cross:", kinds), encoding="utf-8")
    assert rows(answered(InProcessRunner(folder), job())) == [(2, "up", 0.5), (5, "down", 1.0)]


# What is remembered


COUNTING = 'events(at, "up", float(self.number), extra=pathlib.Path("%s", str(time.monotonic_ns())).touch() or 1)'


def counted(folder: Path) -> tuple[InProcessRunner, Callable[[], int]]:
    """A signal that leaves a mark each time it is run, and how often it was."""
    marks = folder / "marks"
    marks.mkdir()
    runner = InProcessRunner(workspace(folder, COUNTING % marks.as_posix()))
    return runner, lambda: len(list(marks.iterdir()))


def test_a_result_is_computed_again_only_when_source_parameters_or_data_change(tmp_path: Path) -> None:
    runner, times = counted(tmp_path)
    first = answered(runner, job())
    assert answered(runner, job()) is first
    assert times() == 1
    answered(runner, job(number=Decimal(2)))
    assert times() == 2
    answered(runner, job(replace(hourly(), fingerprint="other")))
    assert times() == 3
    for asked in (job(), job(number=Decimal(2)), job(replace(hourly(), fingerprint="other"))):
        answered(runner, asked)
    assert times() == 3
    path = tmp_path / "core" / "indicators" / "test" / "plain.py"
    path.write_text(edited(path.read_text(), 'data["close"]', 'data["open"]'))
    answered(runner, job())
    assert times() == 4


def test_an_edited_source_is_what_runs(tmp_path: Path) -> None:
    runner = InProcessRunner(workspace(tmp_path))
    before, name = answered(runner, job()), runner.fingerprint("signals.cross")
    workspace(tmp_path, edited(GOOD, "[0.5, 1.0]", "[0.25, 1.0]"))
    assert rows(before)[0] == (2, "up", 0.5)
    assert rows(answered(runner, job()))[0] == (2, "up", 0.25)
    assert runner.fingerprint("signals.cross") != name


def test_candles_without_a_fingerprint_are_never_remembered(tmp_path: Path) -> None:
    runner, times = counted(tmp_path)
    for _ in range(3):
        answered(runner, job(replace(hourly(), fingerprint="")))
    assert times() == 3


def test_a_failure_is_not_remembered(tmp_path: Path) -> None:
    runner = InProcessRunner(workspace(tmp_path, "1 / 0"))
    with pytest.raises(ComponentError):
        answered(runner, job())
    workspace(tmp_path)
    assert len(answered(runner, job())) == 2


# What the engine trades on


VANDALISM = (
    'data["close"] = 0.0',
    'data.loc[:, "close"] = 0.0',
    "data.iloc[:] = 0.0",
    'data.pop("close")',
    'data.attrs["ticks_per_one"] = 1',
    'data["close"].to_numpy()[:] = 0.0',
    'data["volume"].to_numpy()[:] = 9.0',
    "np.asarray(data)[:] = 0.0",
)


MISCHIEF = """\
before = data["close"].copy()
        try:
            %s
        except ValueError:  # what is read-only says so
            pass
        return before
"""


def spoiling(folder: Path, act: str) -> Path:
    """A signal whose indicator misbehaves first; the signal then reports what it sees."""
    found = workspace(folder, 'events(at, "up", 1.0, extra=[data["close"].sum(), data.attrs["ticks_per_one"]])')
    path = found / "core" / "indicators" / "test" / "plain.py"
    path.write_text(edited(path.read_text(), 'return data["close"]', MISCHIEF % act))
    return found


@pytest.mark.parametrize("act", VANDALISM)
def test_a_component_changes_neither_the_engine_s_candles_nor_what_others_see(tmp_path: Path, act: str) -> None:
    candles = replace(hourly(), volume=np.ones(10))
    kept = [column.copy() for column in columns(candles)]
    told = answered(InProcessRunner(spoiling(tmp_path, act)), job(candles)).metadata["extra"]
    assert told.tolist() == [pytest.approx(float(candles.prices.close.sum()) / 100_000), 100_000]
    assert all((now == before).all() for now, before in zip(columns(candles), kept, strict=True))


def test_a_component_that_writes_over_the_stamps_is_refused_and_the_engine_s_are_whole(tmp_path: Path) -> None:
    candles, before = hourly(), hourly().timestamp.copy()
    with pytest.raises(ComponentError, match="calculate returned another index than the candles'"):
        answered(InProcessRunner(spoiling(tmp_path, "data.index.asi8[:] = 0")), job(candles))
    assert (candles.timestamp == before).all()


def columns(candles: Candles) -> list[np.ndarray[Any, Any]]:
    prices = candles.prices
    assert candles.volume is not None
    return [candles.timestamp, prices.open, prices.high, prices.low, prices.close, candles.volume]


# A file run alone


def alone(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = ROOT / "workspace" / "core" / script
    settings = os.environ | {"TEST_DATASET": SAMPLE.name, "PYTHONDONTWRITEBYTECODE": "1"} | environment
    return subprocess.run([sys.executable, path.name], cwd=path.parent, env=settings, capture_output=True, text=True, check=False)


def arrow(path: Path) -> pd.DataFrame:
    with pa.OSFile(str(path)) as file:
        frame: pd.DataFrame = pa.ipc.open_file(file).read_all().to_pandas()
    return frame


def test_an_indicator_run_alone_writes_what_the_engine_would_see(tmp_path: Path) -> None:
    done = alone("indicators/trend/sma.py", tmp_path, RESULT_PATH=str(tmp_path / "r.arrow"), COMPONENT_PARAMS='{"period": 3}')
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    frame, data = arrow(tmp_path / "r.arrow"), candle_frame(load_candles(SAMPLE))
    assert list(frame.columns) == ["timestamp", "sma"]
    assert frame["timestamp"].tolist() == data.index.tolist()
    np.testing.assert_array_equal(frame["sma"].to_numpy(), sdk.average(data, "close", 3).to_numpy())
    assert [path.name for path in tmp_path.iterdir()] == ["r.arrow"]


def test_a_signal_run_alone_finds_the_events_of_a_run(tmp_path: Path) -> None:
    done = alone("signals/ma_crossover.py", tmp_path, RESULT_PATH=str(tmp_path / "r.arrow"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    frame, candles = arrow(tmp_path / "r.arrow"), load_candles(SAMPLE)
    table = answered(InProcessRunner(ROOT / "workspace"), ComponentJob("signals.ma_crossover", {}, candles))
    assert frame["timestamp"].astype("int64").to_numpy().tolist() == candles.timestamp[table.bar].tolist()
    assert (frame["type"].tolist(), frame["strength"].tolist()) == (table.type.tolist(), table.strength.tolist())
    assert list(frame.columns) == ["timestamp", "type", "strength", *table.metadata]


def test_a_file_run_alone_prints_a_table_and_says_what_it_needs(tmp_path: Path) -> None:
    shown = alone("signals/ma_crossover.py", tmp_path)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("ma_crossover (MACrossover): ")
    assert "golden_cross" in shown.stdout


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"TEST_DATASET": ""}, "TEST_DATASET is not set: name a candle file"),
        ({"TEST_DATASET": "EURUSD_1h_none.parquet"}, "EURUSD_1h_none.parquet: there is no such file: check the path"),
        ({"DATA_SOURCE": "moon"}, "DATA_SOURCE=moon: "),
        ({"PUBLISH_LIVE": "yes"}, "PUBLISH_LIVE=yes: give true to publish the signals of the newest bar, or false"),
        ({"COMPONENT_PARAMS": "{period: 3}"}, "COMPONENT_PARAMS={period: 3}: this is not JSON"),
        ({"COMPONENT_PARAMS": "[3]"}, 'COMPONENT_PARAMS=[3]: give names with their values, like {"period": 20}'),
        ({"COMPONENT_PARAMS": '{"period": 0}'}, "sma.py: period = 0: must be at least 1"),
        ({"COMPONENT_PARAMS": '{"period": "x"}'}, "sma.py: period = x: must be a whole number"),
        ({"COMPONENT_PARAMS": '{"length": 3}'}, "sma.py: length = 3: is no parameter, there is period"),
        ({"RESULT_PATH": "/nowhere/r.arrow"}, "RESULT_PATH=/nowhere/r.arrow: it cannot be written"),
    ],
)
def test_what_is_wrong_with_the_surroundings_is_one_line(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], words: str) -> None:
    """In this process: all of them in one second."""
    script = ROOT / "workspace" / "core" / "indicators" / "trend" / "sma.py"
    for name, value in ({"TEST_DATASET": str(SAMPLE)} | environment).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(script), raising=False)
    with pytest.raises(SystemExit) as left:
        sdk.main(object, {"name": "sma"})
    assert words in str(left.value.code)
    assert "\n" not in str(left.value.code)


# The exact averages


def frame_of(ticks: list[int]) -> pd.DataFrame:
    index = pd.date_range("2024-01-02", periods=len(ticks), freq="h", tz="UTC")
    frame = pd.DataFrame({"close": np.array(ticks, np.int64) / 100_000}, index=index)
    frame.attrs["ticks_per_one"] = 100_000
    return frame


def exact_averages(ticks: list[int], period: int) -> Iterator[Fraction | None]:
    for row in range(len(ticks)):
        window = ticks[row - period + 1 : row + 1] if row >= period - 1 else []
        yield Fraction(sum(window), period * 100_000) if window else None


prices = st.lists(st.integers(109_990, 110_010), min_size=1, max_size=40)


@settings(max_examples=200)
@given(prices, st.integers(1, 8))
def test_an_average_is_the_float_nearest_to_the_exact_one(ticks: list[int], period: int) -> None:
    found = sdk.average(frame_of(ticks), "close", period).tolist()
    expected = [float("nan") if exact is None else float(exact) for exact in exact_averages(ticks, period)]
    np.testing.assert_array_equal(found, expected)
    assert sdk.ticks(frame_of(ticks)).tolist() == ticks


@settings(max_examples=200)
@given(prices, st.integers(1, 4), st.integers(2, 8))
def test_crossings_are_those_of_exact_fractions_ties_included(ticks: list[int], fast: int, slow: int) -> None:
    """Prices so close that averages meet exactly again and again."""
    one, other = list(exact_averages(ticks, fast)), list(exact_averages(ticks, slow))
    above, below = [False], [False]
    for row in range(1, len(ticks)):
        a, b, c, d = one[row - 1], other[row - 1], one[row], other[row]
        known = a is not None and b is not None and c is not None and d is not None
        above.append(bool(known and a <= b and c > d))  # type: ignore[operator]  # known
        below.append(bool(known and a >= b and c < d))  # type: ignore[operator]
    frame = frame_of(ticks)
    averages = sdk.average(frame, "close", fast), sdk.average(frame, "close", slow)
    assert sdk.crossed_above(*averages).tolist() == above
    assert sdk.crossed_below(*averages).tolist() == below


def test_the_shipped_crossover_is_the_reference_s_on_eight_years(reference: Path) -> None:
    candles = fxcm(reference, with_ask=False)
    table = answered(InProcessRunner(ROOT / "workspace"), ComponentJob("signals.ma_crossover", {}, candles))
    golden = pq.read_table(reference / "golden" / "trades" / "EURUSD_1h_fxcm_ma20_50_signals.parquet")
    for kind, column, count in (("golden_cross", "golden", 615), ("death_cross", "death", 616)):
        bars = table.bar[table.type == kind]
        assert bars.tolist() == np.flatnonzero(golden[column].to_numpy()).tolist()
        assert len(bars) == count


def test_parameters_reach_a_component_as_the_numbers_it_expects(tmp_path: Path) -> None:
    runner = InProcessRunner(workspace(tmp_path, 'events(at, "up", [float(type(self.number) is int), self.number], extra=1)'))
    assert [strength for _, _, strength in rows(answered(runner, job(number=Decimal("7.0"))))] == [1.0, 7.0]
