"""Work in a process of its own: answers, reports, errors and logs cross over, a stop is heard, and a death is told and outlived."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from logging.handlers import QueueHandler
from pathlib import Path
from queue import SimpleQueue
from zoneinfo import ZoneInfo

import psutil
import pytest

from sptrader_desktop.app.data_process import ProcessDataDesk
from sptrader_desktop.compose_data import catalogue
from sptrader_desktop.core.errors import Cancelled, DataError, MachineError
from sptrader_desktop.present.datasets import DatasetRow
from sptrader_desktop.present.import_form import ImportAnswers
from sptrader_desktop.runtime.far_process import FarProcess
from sptrader_desktop.settings import Settings, load_settings
from tests.vendor_files import SPRING, market, metatrader_5, written

NOTHING = ImportAnswers()
BARS = market(SPRING, 12, 60)


@pytest.fixture(scope="module")
def far() -> Iterator[FarProcess]:
    process = FarProcess("tests.far_target", "the process of the tests", lambda: "Ada")
    yield process
    process.close()


def test_calls_side_by_side_are_answered_each_with_its_own(far: FarProcess) -> None:
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(far.call, "greet", f"{number}") for number in range(200)]
    assert [each.result() for each in asked] == [f"{number} Ada" for number in range(200)]


def test_what_is_logged_there_is_logged_here(far: FarProcess) -> None:
    heard: SimpleQueue[logging.LogRecord] = SimpleQueue()
    handler = QueueHandler(heard)
    logging.getLogger("far.target").addHandler(handler)
    far.call("greet")
    logging.getLogger("far.target").removeHandler(handler)
    record = heard.get_nowait()
    assert (record.levelno, record.getMessage()) == (logging.WARNING, "greeted")


def test_an_error_says_where_it_was_raised_and_any_error_comes_across(far: FarProcess) -> None:
    with pytest.raises(KeyError, match="a defect") as defect:
        far.call("fail")
    assert "in fail" in "".join(defect.value.__notes__)
    with pytest.raises(RuntimeError, match=r"file\.yaml: entry = 1: is wrong"):
        far.call("fail_oddly")


def test_what_a_report_raises_stops_the_work_and_nothing_else(far: FarProcess, tmp_path: Path) -> None:
    begun, stopped, heard = tmp_path / "begun", tmp_path / "stopped", list[tuple[float, str]]()

    def report(fraction: float, words: str) -> None:
        heard.append((fraction, words))
        if len(heard) == 3:
            raise Cancelled("enough")

    pid = far.call("pid")
    with pytest.raises(Cancelled, match="enough"):
        far.call("last", begun, stopped, report=report)
    _until(stopped.exists)
    assert heard == [(0.5, "half")] * 3
    assert far.call("pid") == pid


def test_a_death_is_told_to_everybody_who_waits_and_the_next_call_has_another_process(far: FarProcess, tmp_path: Path) -> None:
    begun, pid = tmp_path / "begun", far.call("pid")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(far.call, "last", begun, tmp_path / "stopped", report=lambda *_: None)
        _until(begun.exists)
        with pytest.raises(MachineError, match="the process of the tests ended unexpectedly"):
            far.call("die")
        assert isinstance(waiting.exception(), MachineError)
    assert far.call("pid") != pid


def test_at_the_end_no_process_and_no_thread_is_left(tmp_path: Path) -> None:
    far = FarProcess("tests.far_target", "the process that ends", lambda: "Ada")
    pid = far.call("pid")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(far.call, "last", tmp_path / "begun", tmp_path / "stopped", report=lambda *_: None)
        _until((tmp_path / "begun").exists)
        far.close()
        assert isinstance(waiting.exception(), MachineError)
    assert not psutil.pid_exists(pid)
    assert "the process that ends" not in {thread.name for thread in threading.enumerate()}


def test_what_cannot_be_started_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "no python"))
    with pytest.raises(MachineError, match="could not be started"):
        FarProcess("tests.far_target", "the process", lambda: "Ada").call("pid")


def test_the_data_pages_desk_reads_keeps_and_lists_by_a_process_that_holds_the_candles(tmp_path: Path) -> None:
    """Killed between reading and keeping it has nothing to keep, and says what to do."""
    settings, path = _settings(tmp_path), written(tmp_path, metatrader_5(BARS, ZoneInfo("Europe/Athens")), "USDSEK.csv")
    desk, said = ProcessDataDesk(settings), list[float]()
    try:
        seen = desk.preview(path, NOTHING, lambda fraction, _words: said.append(fraction))
        assert said == sorted(said)
        assert (len(seen.candles), seen.refusal) == (len(BARS), None)
        assert not hasattr(seen.candles, "prices")
        psutil.Process(desk.process.pid).kill()
        _until(lambda: desk.process.pid is None)
        with pytest.raises(DataError, match=r"USDSEK\.csv: .* choose the file again"):
            desk.keep(seen, "catalogue", False)
        seen = desk.preview(path, NOTHING, lambda *_: None)
        assert f"{len(BARS):,} bars of USDSEK 1h" in desk.keep(seen, "catalogue", False)
        rows: list[DatasetRow] = [row for row in desk.datasets(lambda *_: None) if row.where == "catalogue"]
        assert [(row.symbol, row.rows) for row in rows] == [(item.symbol, item.rows) for item in catalogue(settings).datasets()]
        assert desk.inspect(rows[0]).inspection.rows == len(BARS)
    finally:
        desk.close()


def _settings(home: Path) -> Settings:
    return replace(load_settings(), workspace=home / "workspace", candles=home / "candles")


def _until(is_so: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if is_so():
            return
        time.sleep(0.005)
    raise AssertionError("it did not come to that")
