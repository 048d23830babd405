"""The log keeps the newest lines within its bounds, shows those that are chosen, and writes no secret anywhere."""

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.adapters.rotating_log import LARGEST, NAME, OLDER, LogFile, open_log
from sptrader_desktop.core.errors import ComponentError, DataError
from sptrader_desktop.ports import Answer, ComponentJob
from sptrader_desktop.present.log_lines import LONGEST_LINE, LogFeed, LogFilter, LogLine, LogLines, line_text
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.runtime.logged_components import LoggedComponents
from tests.small_runs import hourly

LINES = st.builds(
    LogLine,
    at=st.integers(0, 10**15),
    level=st.sampled_from([10, 20, 30, 40, 50]),
    source=st.sampled_from(["window", "qt", "component.sma"]),
    text=st.text("ab C", max_size=6),
)
FILTERS = st.builds(
    LogFilter, least=st.sampled_from([0, 20, 30]), source=st.sampled_from(["", "qt", "component.sma"]), words=st.text("abc ", max_size=3)
)


def chosen(lines: Sequence[LogLine], wanted: LogFilter) -> list[LogLine]:
    words = wanted.words.lower().split()
    return [
        line
        for line in lines
        if line.level >= wanted.least
        and wanted.source in {"", line.source}
        and all(word in f"{line.source} {line.text}".lower() for word in words)
    ]


@given(st.lists(st.lists(LINES, max_size=8), max_size=6), FILTERS, st.integers(1, 12), st.integers(0, 30))
def test_the_newest_are_kept_and_what_changed_is_told(batches: list[list[LogLine]], wanted: LogFilter, most: int, characters: int) -> None:
    log, said, mirror = LogLines(most, characters), list[LogLine](), list[LogLine]()
    log.choose(wanted)
    for batch in batches:
        said += batch
        gone, came = log.add(batch)
        mirror = [*mirror[gone:], *log.shown[len(log.shown) - came :]]
        kept = said[-most:]
        while sum(len(line.text) for line in kept) > characters:
            kept = kept[1:]
        assert log.tail(len(log)) == kept
        assert log.shown == chosen(kept, wanted) == mirror


@given(st.lists(LINES, max_size=20), FILTERS, FILTERS)
def test_choosing_again_looks_at_all_that_is_kept(lines: list[LogLine], first: LogFilter, second: LogFilter) -> None:
    log = LogLines()
    log.choose(first)
    log.add(lines)
    log.choose(second)
    assert log.shown == chosen(lines, second)
    assert log.sources == {line.source for line in lines}
    log.clear()
    assert (log.shown, len(log), log.sources) == ([], 0, set())


# From logging


@pytest.fixture
def heard() -> Iterator[list[LogLine]]:
    lines: list[LogLine] = []
    feed, log = LogFeed(lines.append), logging.getLogger("sptrader")
    log.addHandler(feed)
    log.setLevel(logging.DEBUG)
    yield lines
    log.removeHandler(feed)


def test_what_is_logged_becomes_lines_with_the_traceback_and_without_secrets(heard: list[LogLine]) -> None:
    log = logging.getLogger("sptrader.component.sma")
    try:
        int("no number")
    except ValueError:
        log.exception("cannot reach redis://:hunter2hunter2@host\nsecond line")
    texts = [line.text for line in heard]
    assert texts[:3] == ["cannot reach redis://***@host", "second line", "Traceback (most recent call last):"]
    assert texts[-1] == "ValueError: invalid literal for int() with base 10: 'no number'"
    assert {(line.source, line.level) for line in heard} == {("component.sma", logging.ERROR)}


@pytest.mark.parametrize(("text", "args"), [("%d bars", ("many",)), ("%(bars)s", ({"of": 1},)), ("%s of %s", (1,))])
def test_a_line_that_was_written_wrongly_harms_nobody(text: str, args: tuple[object, ...]) -> None:
    heard: list[LogLine] = []
    record = logging.LogRecord("sptrader.window", logging.INFO, "", 0, text, args, None)
    LogFeed(heard.append).handle(record)
    assert [line.text for line in heard] == [f"{text} {record.args}"]


def test_a_line_without_end_is_cut(heard: list[LogLine]) -> None:
    logging.getLogger("sptrader.window").info("x" * (LONGEST_LINE * 3))
    assert [len(line.text) for line in heard] == [LONGEST_LINE + 1]


def test_a_line_as_text_says_day_time_level_and_source_by_the_clock_of_the_zone() -> None:
    line = LogLine(1_704_774_600_123_456, logging.WARNING, "qt", "a complaint")
    assert line_text(line, Zone.UTC) == "2024-01-09 04:30:00.123 warning qt: a complaint"
    assert line_text(line, Zone.NEW_YORK) == "2024-01-08 23:30:00.123 warning qt: a complaint"


# As files


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("sptrader.window", logging.INFO, "", 0, text, (), None)


def test_the_file_holds_what_was_said_without_secrets(tmp_path: Path) -> None:
    file = open_log(tmp_path / "deep" / "logs")
    file.handle(record("token=hunter2hunter2 and price 1.0842"))
    file.close()
    assert (tmp_path / "deep" / "logs" / NAME).read_text().endswith(" note    window: token=*** and price 1.0842\n")


def test_files_are_rotated_and_the_oldest_dropped(tmp_path: Path) -> None:
    file = LogFile(tmp_path / NAME, largest=400)
    for number in range(100):
        file.handle(record(f"line {number}"))
    file.close()
    found = sorted(path.name for path in tmp_path.iterdir())
    assert found == [NAME, *(f"{NAME}.{number}" for number in range(1, OLDER + 1))]
    assert all(path.stat().st_size <= 400 for path in tmp_path.iterdir())
    assert "line 99" in (tmp_path / NAME).read_text()
    assert LARGEST == 1 << 20


@pytest.mark.skipif(sys.platform != "linux", reason="needs a disk that is always full: /dev/full")
def test_a_full_disk_is_said_once_and_stops_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    file = LogFile(Path("/dev/full"), largest=0)
    for number in range(3):
        file.handle(record(f"line {number}"))
    assert capsys.readouterr().err.count("No space left") == 1
    assert file.stream is not None
    with Path(os.devnull).open("ab") as sink:
        os.dup2(sink.fileno(), file.stream.fileno())  # what is still to be written goes nowhere
    file.close()


def test_a_place_where_no_log_can_be_kept_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="no log can be kept there"):
        open_log(tmp_path / "file" / "logs")


# Components


class Talking:
    """A runner whose components say something."""

    def run(self, jobs: Sequence[ComponentJob]) -> Sequence[Answer]:
        return [Answer(ComponentError(f"{job.component}: it failed"), f"{job.component} prints\ntwice", "and warns\n") for job in jobs]

    def fingerprint(self, component: str) -> str:
        return f"hash of {component}"


def test_what_components_say_is_logged_under_their_names(heard: list[LogLine]) -> None:
    runner = LoggedComponents(Talking())
    jobs = [ComponentJob("indicators.trend.sma", {}, hourly())]
    assert len(runner.run(jobs)) == 1
    assert runner.fingerprint("x") == "hash of x"
    assert [(line.level, line.source, line.text) for line in heard] == [
        (logging.INFO, "component.sma", "indicators.trend.sma prints"),
        (logging.INFO, "component.sma", "twice"),
        (logging.WARNING, "component.sma", "and warns"),
        (logging.ERROR, "component.sma", "indicators.trend.sma: it failed"),
    ]
