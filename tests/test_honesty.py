"""Every planted cheat is caught by the right check, at the right bar and line; nothing honest is."""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.component_catalogue import load_catalogue
from sptrader_desktop.adapters.inprocess_components import InProcessRunner
from sptrader_desktop.adapters.yaml_strategy import read_strategy
from sptrader_desktop.core.candles import Candles, Int64Array, Prices
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.ports import Answer, ComponentJob, ComponentRunner, Values
from sptrader_desktop.runtime.honesty import HonestyGate, Subject, examine, with_indicators
from sptrader_desktop.runtime.honesty_candles import HIGHER, LOWER, STILL, TURNED, other_future, part
from sptrader_desktop.runtime.honesty_judge import Finding, Verdict
from sptrader_desktop.runtime.honesty_memory import HonestyMemory
from sptrader_desktop.runtime.honesty_plan import CHECKS, HIGHER_TIMEFRAMES, LIVE_WINDOW, LOOK_AHEAD, WARM_UP
from tests.cheats.components import CHEATS, CHEATS_OF_PROCESSES, HONEST, Planted, plant
from tests.command_line import ROOT, SAMPLE, STRATEGIES, document
from tests.component_processes import ProcessRunner

PLANTED = CHEATS | CHEATS_OF_PROCESSES | HONEST


@pytest.fixture(scope="module")
def sample() -> Candles:
    return load_candles(SAMPLE)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plant(tmp_path_factory.mktemp("planted"), PLANTED, SAMPLE)


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessRunner]:
    with ProcessRunner() as runner:
        yield runner


def dotted(name: str) -> str:
    return f"signals.{name}" if PLANTED[name].is_signal else f"indicators.planted.{name}"


def verdict(workspace: Path, component: str, candles: Candles, runner: ComponentRunner | None = None) -> Verdict:
    catalogue = load_catalogue(workspace)
    (found,) = examine([Subject(catalogue.component(component), {})], candles, runner or InProcessRunner(workspace, catalogue))
    return found


@pytest.fixture(scope="module")
def tried(workspace: Path, sample: Candles) -> Callable[[str], Verdict]:
    """What is found of a planted component on the sample; each is tried once for all tests."""
    return cache(lambda name: verdict(workspace, dotted(name), sample))


def failure(found: Verdict) -> Finding:
    (finding,) = found.failures
    return finding


# Cheats


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_is_caught_by_its_check_and_its_line_is_named(tried: Callable[[str], Verdict], name: str) -> None:
    cheat, found = CHEATS[name], tried(name)
    finding = failure(found)
    assert finding.check == cheat.check
    source = Path(found.spec.source).read_text(encoding="utf-8").splitlines()
    assert (cheat.words or "def ") in source[finding.line - 1]
    (sentence,) = found.sentences()
    assert sentence.startswith(f"{found.spec.source}:{finding.line}: {found.spec.dotted} ")
    assert [finding.is_honest for finding in found.findings].count(False) == 1


@pytest.mark.parametrize("name", CHEATS_OF_PROCESSES)
def test_what_differs_between_processes_or_calls_is_caught(workspace: Path, sample: Candles, processes: ProcessRunner, name: str) -> None:
    found = verdict(workspace, dotted(name), sample, processes.of(workspace))
    finding = failure(found)
    assert finding.check == CHEATS_OF_PROCESSES[name].check
    assert CHEATS_OF_PROCESSES[name].words in Path(found.spec.source).read_text(encoding="utf-8").splitlines()[finding.line - 1]


def test_there_are_cheats_enough() -> None:
    assert len(CHEATS | CHEATS_OF_PROCESSES) >= 30
    assert {cheat.check for cheat in (CHEATS | CHEATS_OF_PROCESSES).values()} == {*CHECKS} - {LIVE_WINDOW}


# The bar


Told = list[object]


def told_of(result: EventTable | Values | ComponentError, bar: int) -> Told:
    """All that an answer says of one bar."""
    assert not isinstance(result, ComponentError)
    if not isinstance(result, EventTable):
        return [float(column[bar]) for column in result.values()]
    rows = [row for row in range(len(result)) if result.bar[row] == bar]
    columns = [result.type, result.strength, *result.metadata.values()]
    return [column[row] for row in rows for column in columns]


def is_same(one: Told, other: Told) -> bool:
    return len(one) == len(other) and all(map(is_alike, one, other))


def is_alike(one: object, other: object) -> bool:
    if not (isinstance(one, float) and isinstance(other, float)):
        return one == other
    return math.isclose(one, other, rel_tol=1e-9) or (math.isnan(one) and math.isnan(other))


def plainly_different(one: Answer, other: Answer, cut: int) -> int | None:
    """The first bar before the cut of which two answers differ, by looking at every bar."""
    return next((bar for bar in range(cut) if not is_same(told_of(one.result, bar), told_of(other.result, bar))), None)


FUTURE = [name for name, cheat in CHEATS.items() if cheat.check in {LOOK_AHEAD, HIGHER_TIMEFRAMES} and name != "fails_when_short"]


@pytest.mark.parametrize("name", FUTURE)
def test_the_bar_named_is_the_first_that_differs(workspace: Path, sample: Candles, tried: Callable[[str], Verdict], name: str) -> None:
    finding = failure(tried(name))
    told = re.search(r"when the bars from ([\d,]+) \(([^)]+)Z\) on are (missing|changed)", finding.text)
    assert told
    cut = int(told[1].replace(",", "")) - 1
    assert told[2].replace(" ", "T") == str(np.datetime64(int(sample.timestamp[cut]), "us"))[:16]
    runner = InProcessRunner(workspace)
    futures = [part(sample, 0, cut)] if told[3] == "missing" else [other_future(sample, cut, way) for way in (HIGHER, LOWER, STILL, TURNED)]
    base, *others = runner.run([ComponentJob(dotted(name), {}, candles) for candles in (sample, *futures)])
    assert finding.bar in [plainly_different(base, other, cut) for other in others]
    reach = CHEATS[name].reach
    assert reach is None or finding.bar == cut - reach


def test_a_leak_from_a_higher_timeframe_begins_with_its_bar(sample: Candles, tried: Callable[[str], Verdict]) -> None:
    for name, hours, words in (("four_hours", 4, "a bar of 4h"), ("same_day", 24, "a bar of 1d")):
        finding = failure(tried(name))
        assert finding.bar is not None
        assert sample.timestamp[finding.bar] // 3_600_000_000 % hours == 0
        assert words in finding.text


def test_the_output_named_is_the_one_that_leaks(tried: Callable[[str], Verdict]) -> None:
    told = {"next_close": "next_close", "up_next": "crossover_type", "strength": "signal_strength", "extra": "extra"}
    assert {name: failure(tried(name)).output for name in told} == told


# What is honest


@pytest.mark.parametrize("name", HONEST)
def test_nothing_honest_is_accused(tried: Callable[[str], Verdict], name: str) -> None:
    found = tried(name)
    assert found.sentences() == ()
    unjudged = {finding.check for finding in found.findings if finding.is_honest is None}
    assert unjudged == ({WARM_UP, LIVE_WINDOW} if HONEST[name].warm_up == "all" else set())


def test_nothing_shipped_is_accused_of_what_a_strategy_has_it_do(tmp_path: Path, sample: Candles) -> None:
    """All components that ship are in shipped strategies, with whatever parameters these give them (tests/test_strategies.py)."""
    catalogue = load_catalogue(ROOT / "workspace")
    gate = HonestyGate(catalogue, InProcessRunner(ROOT / "workspace", catalogue), HonestyMemory(tmp_path))
    for path in sorted(STRATEGIES.glob("*.yaml")):
        gate.require(read_strategy(path, catalogue)[0], [sample])
    assert {json.loads(kept.read_text())["component"] for kept in tmp_path.iterdir()} == catalogue.found.keys()


@pytest.mark.campaign
def test_nothing_shipped_is_accused_with_the_parameters_it_has_by_itself(sample: Candles) -> None:
    catalogue = load_catalogue(ROOT / "workspace")
    runner = InProcessRunner(ROOT / "workspace", catalogue)
    for dotted in catalogue.found:
        (found,) = examine([Subject(catalogue.component(dotted), {})], sample, runner)
        assert found.sentences() == ()


@pytest.mark.campaign
@pytest.mark.parametrize("path", sorted(STRATEGIES.glob("*.yaml")), ids=lambda path: path.stem)
def test_nothing_shipped_is_accused_where_workers_try_it(path: Path) -> None:
    assert document(path, "--data", SAMPLE)["total_trades"] > 0


def test_a_signal_and_its_indicators_are_honest_in_several_processes(sample: Candles, processes: ProcessRunner) -> None:
    catalogue = load_catalogue(ROOT / "workspace")
    subjects = [*with_indicators(Subject(catalogue.signal("signals.ma_crossover"), {}), catalogue)]
    for found in examine(subjects, sample, processes.of(ROOT / "workspace")):
        assert all(finding.is_honest for finding in found.findings)


def test_the_warm_up_that_is_needed_is_measured(sample: Candles) -> None:
    found = verdict(ROOT / "workspace", "indicators.trend.sma", sample)
    assert next(finding.text for finding in found.findings if finding.check == WARM_UP) == "declared 20, 20 needed here (4 other starts)"


@pytest.mark.parametrize(("warm_up", "is_honest"), [(5, True), (4, False)])
def test_one_bar_of_warm_up_too_few_is_found(tmp_path: Path, sample: Candles, warm_up: int, *, is_honest: bool) -> None:
    planted = {"mean": Planted("answer = close.rolling(5).mean()", warm_up=str(warm_up))}
    found = verdict(plant(tmp_path, planted, SAMPLE), "indicators.planted.mean", sample)
    assert found.is_honest == is_honest
    if not is_honest:
        assert failure(found).check == WARM_UP
        assert failure(found).text.endswith("it needs 5 bars here")


class EarlyRunner(InProcessRunner):
    """Every answer comes one bar early."""

    def run(self, jobs: Sequence[ComponentJob]) -> list[Answer]:
        return [Answer(early(answer.result)) for answer in super().run(jobs)]


def early(result: EventTable | Values | ComponentError) -> EventTable | Values | ComponentError:
    if isinstance(result, ComponentError):
        return result
    if not isinstance(result, EventTable):
        return {name: np.append(column[1:], np.nan) for name, column in result.items()}
    kept = result.bar > 0
    metadata = {name: column[kept] for name, column in result.metadata.items()}
    return EventTable(result.bar[kept] - 1, result.type[kept], result.strength[kept], metadata)


def assert_caught_when_early(names: Iterable[str], candles: Candles) -> None:
    catalogue = load_catalogue(ROOT / "workspace")
    runner = EarlyRunner(ROOT / "workspace", catalogue)
    for name in names:
        (found,) = examine([Subject(catalogue.component(name), {})], candles, runner)
        assert {finding.check for finding in found.failures} & {LOOK_AHEAD, HIGHER_TIMEFRAMES}, found.spec.dotted


def test_what_is_shipped_is_caught_when_it_answers_one_bar_early(sample: Candles) -> None:
    assert_caught_when_early(["indicators.trend.sma", "signals.ma_crossover"], sample)


@pytest.mark.campaign
def test_all_that_is_shipped_is_caught_when_it_answers_one_bar_early(sample: Candles) -> None:
    assert_caught_when_early(load_catalogue(ROOT / "workspace").found, sample)


# Signals and their indicators


def test_an_indicator_that_cheats_is_named_beside_the_signal_that_believes_it(tmp_path: Path, sample: Candles) -> None:
    planted = {
        "tomorrow": Planted("answer = close.shift(-1)"),
        "believer": Planted(
            'up = crossed_above(indicators["level"], close)\ndown = up & False',
            warm_up="2",
            required='[{"name": "level", "type": "tomorrow"}]',
        ),
    }
    catalogue = load_catalogue(plant(tmp_path, planted, SAMPLE))
    subjects = [*with_indicators(Subject(catalogue.signal("signals.believer"), {}), catalogue)]
    found = examine(subjects, sample, InProcessRunner(tmp_path, catalogue))
    assert [(verdict.spec.name, failure(verdict).check) for verdict in found] == [("tomorrow", LOOK_AHEAD), ("believer", LOOK_AHEAD)]


# Long and short data


WEEK_US = 7 * 24 * 3_600_000_000
TIMES = 12


def long_candles(sample: Candles) -> Candles:
    """The sample again and again, each time some weeks later; in the middle the price jumps once by nine percent."""
    stamps, prices = sample.timestamp, sample.prices
    span = (int(stamps[-1] - stamps[0]) // WEEK_US + 1) * WEEK_US

    def repeated(column: Int64Array) -> Int64Array:
        return np.concatenate([column + (10_000 if number >= TIMES // 2 else 0) for number in range(TIMES)])

    return replace(
        sample,
        timestamp=np.concatenate([stamps + number * span for number in range(TIMES)]),
        prices=Prices(repeated(prices.open), repeated(prices.high), repeated(prices.low), repeated(prices.close)),
        volume=None if sample.volume is None else np.tile(sample.volume, TIMES),
        fingerprint="long",
    )


LONG_CHEATS = {
    "only_long": Planted("answer = close.shift(-1) if n > 20_000 else close", LOOK_AHEAD),
    "normalised_long": CHEATS["normalised"],
    "rare": Planted("up = close.shift(-1) > close * 1.05\ndown = up & False", LOOK_AHEAD),
}


@pytest.mark.parametrize("name", LONG_CHEATS)
def test_long_data_is_tried_in_stretches_that_are_held_against_all_of_it(tmp_path: Path, sample: Candles, name: str) -> None:
    candles = long_candles(sample)
    assert len(candles) > 30_000
    component = f"signals.{name}" if LONG_CHEATS[name].is_signal else f"indicators.planted.{name}"
    found = verdict(plant(tmp_path, LONG_CHEATS, SAMPLE), component, candles)
    assert failure(found).check == LOOK_AHEAD
    assert re.fullmatch(r"bars [\d,]+ to 31,368, 1 to 6,666(, [\d,]+ to [\d,]+)? of 31,368, and these against all", found.coverage)


def test_honest_components_stay_honest_on_long_data(workspace: Path, sample: Candles) -> None:
    candles = long_candles(sample)
    for name in ("smooth", "highest_so_far", "crossing", "yesterday"):
        assert verdict(workspace, dotted(name), candles).sentences() == (), name


@pytest.mark.parametrize("bars", [1, 2, 3, 12, 60])
def test_few_bars_are_tried_as_far_as_they_go(workspace: Path, sample: Candles, bars: int) -> None:
    few = replace(part(sample, 0, bars), fingerprint="few")
    for name in ("crossing", "plain", "smooth", "always"):
        assert verdict(workspace, dotted(name), few).sentences() == ()
    if bars > 1:
        assert failure(verdict(workspace, dotted("next_close"), few)).check == LOOK_AHEAD


def test_the_same_is_asked_every_time(workspace: Path, sample: Candles) -> None:
    class Listening(InProcessRunner):
        def run(self, jobs: object) -> list[Answer]:
            assert isinstance(jobs, list)
            asked.append(
                [(job.component, job.attempt, job.candles.timestamp.tobytes(), job.candles.prices.close.tobytes()) for job in jobs]
            )
            return super().run(jobs)

    asked: list[object] = []
    for _ in range(2):
        verdict(workspace, dotted("crossing"), sample, Listening(workspace))
    assert len(asked) == 4
    assert asked[:2] == asked[2:]
