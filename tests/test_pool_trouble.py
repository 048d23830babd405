"""Trouble that is no component's own doing is never told as if it were, and costs nothing but what it hit."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sptrader_desktop.adapters.asyncio_workers import start_worker
from sptrader_desktop.adapters.component_cache import ComponentCache
from sptrader_desktop.adapters.component_catalogue import load_catalogue
from sptrader_desktop.adapters.pooled_components import PooledRunner, Workers
from sptrader_desktop.runtime import scratch
from sptrader_desktop.runtime.loop_thread import LoopThread
from tests.component_files import workspace
from tests.edits import edited
from tests.pool_benches import KINDS, Bench, acting, bench, cross


@pytest.fixture(scope="module", params=KINDS)
def pool(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Warm for the whole module; the deadline is the usual one."""
    made = bench(request.param, tmp_path_factory.mktemp(request.param))
    yield made
    made.close()
    assert made.processes() == []


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """For what only the synchronous side has."""
    made = bench("asyncio", tmp_path_factory.mktemp("commands"))
    yield made
    made.close()
    assert made.processes() == []


def test_a_folder_that_was_swept_away_is_one_sentence(tmp_path: Path) -> None:
    desk = bench("asyncio", tmp_path)
    try:
        shutil.rmtree(desk.workers.files.folder)
        said = str(desk.run(workspace(tmp_path), [cross()])[0].result)
        assert said.startswith("indicators.test.plain: its work cannot be handed over in ")
        assert "(No such file or directory): make room there" in said
    finally:
        desk.close()


def test_a_place_that_cannot_be_written_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no memory for files, no folder and in the end no place among the temporary files either: that is one sentence."""
    monkeypatch.setattr(scratch, "IN_MEMORY", tmp_path / "absent")
    folder, taken = workspace(tmp_path), tmp_path / "taken"
    taken.write_text("a file")
    answers = []
    for temporary in (tmp_path, taken):
        monkeypatch.setattr(tempfile, "tempdir", str(temporary))
        with Workers(start_worker, LoopThread(), ComponentCache(taken), taken / "folder", size=2) as workers:
            answers += PooledRunner(workers, load_catalogue(folder)).run([cross()])
    assert len(answers[0].events()) == 2
    said = str(answers[1].result)
    assert said.startswith("no folder for components' work can be made (")
    assert said.endswith("name one with SPTRADER_COMPONENT_CACHE")


EARLY = """\
import json, os, sys
        frame = sys._getframe()
        while "answers" not in frame.f_locals: frame = frame.f_back
        job = json.loads(frame.f_locals["line"])["job"]
        os.write(frame.f_locals["answers"], json.dumps({"job": job, "error": "", "left": ""}).encode() + b"\\n")
"""


def test_what_a_worker_does_between_two_jobs_is_not_the_next_script_s_fault(pool: Bench) -> None:
    """It was killed by the system, say, or it answers again after a script has answered for it."""
    good, early = workspace(pool.folder / "between"), acting(pool.folder / "early", EARLY)
    for is_killed in (True, False):
        pool.run(good if is_killed else early, [cross(attempt=2)])
        worker = pool.workers.pool._slots[0].worker
        assert worker is not None
        assert worker.process is not None
        if is_killed:
            psutil.Process(worker.process.pid).kill()
        while worker.inbox.empty():
            pool.turn()
        assert len(pool.run(good, [cross(attempt=2)])[0].events()) == 2


def test_an_answer_from_a_source_that_was_edited_meanwhile_is_not_kept(pool: Bench) -> None:
    """The signal is another when its turn comes than when it was asked for; then the person takes the edit back."""
    folder = workspace(pool.folder / "edited")
    signal, indicator = (folder / "core" / name for name in ("signals/cross.py", "indicators/test/plain.py"))
    original = signal.read_text()
    edit = f"pathlib.Path({str(signal)!r}).write_text({edited(original, '[0.5, 1.0]', '[0.2, 1.0]')!r}) and data"
    indicator.write_text("import pathlib\n" + edited(indicator.read_text(), "return data", f"return {edit}"))
    seen = []
    for _ in range(2):
        seen.append(float(pool.run(folder, [cross()])[0].events().strength[0]))
        signal.write_text(original)
    assert seen == [0.2, 0.5]


def test_a_source_that_was_removed_is_one_sentence(commands: Bench) -> None:
    folder = workspace(commands.folder / "removed")
    runner = commands.runner(folder)
    (folder / "core" / "signals" / "cross.py").unlink()
    assert "cross.py cannot be read (No such file or directory)" in str(runner.run([cross()])[0].result)


def test_no_worker_that_cannot_start_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python that is not there, and Python that finds nothing of ours."""
    folder = workspace(tmp_path)
    bare = [part for part in sys.path if not part.endswith("site-packages")]
    for name, value, words in (
        ("executable", str(tmp_path / "python"), "no worker process could be started (No such file or directory)"),
        ("path", bare, "no worker process could be started (ModuleNotFoundError: "),
    ):
        desk = bench("asyncio", tmp_path)
        try:
            with monkeypatch.context() as broken:
                broken.setattr(sys, name, value)
                said = str(desk.run(folder, [cross(attempt=1)])[0].result)
            assert words in said
            assert len(desk.run(folder, [cross(attempt=1)])[0].events()) == 2
        finally:
            desk.close()
