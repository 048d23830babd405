"""Trouble that is no component's own doing is never told as if it were, and costs nothing but what it hit."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import psutil
import pytest

from sptrader_desktop.adapters.asyncio_workers import start_worker
from sptrader_desktop.adapters.component_cache import ComponentCache
from sptrader_desktop.adapters.component_catalogue import load_catalogue
from sptrader_desktop.adapters.pooled_components import PooledRunner, Workers
from sptrader_desktop.core.errors import MachineError
from sptrader_desktop.runtime import scratch
from sptrader_desktop.runtime.loop_thread import LoopThread
from tests.component_files import workspace
from tests.edits import edited
from tests.pool_benches import KINDS, Bench, acting, bench, cross
from tests.small_runs import hourly

# Where Linux keeps groups of processes with a limit of memory, by the older and the newer way.
GROUPS = (Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup"))


@pytest.fixture(scope="module", params=KINDS)
def pool(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Warm for the whole module; the deadline is the usual one."""
    made = bench(request.param, tmp_path_factory.mktemp(request.param))
    yield made
    made.close()
    assert made.left() == []


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """For what only the synchronous side has."""
    made = bench("asyncio", tmp_path_factory.mktemp("commands"))
    yield made
    made.close()
    assert made.left() == []


def test_a_folder_that_was_swept_away_is_one_sentence(tmp_path: Path) -> None:
    desk = bench("asyncio", tmp_path)
    try:
        shutil.rmtree(desk.workers.files.folder)
        said = "indicators.test.plain: its work cannot be handed over in .* .No such file or directory.: make room there"
        with pytest.raises(MachineError, match=said):
            desk.run(workspace(tmp_path), [cross()])
    finally:
        desk.close()


def test_a_place_that_cannot_be_written_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no memory for files, no folder and in the end no place among the temporary files either: that is one sentence."""
    monkeypatch.setattr(scratch, "IN_MEMORY", tmp_path / "absent")
    folder, taken = workspace(tmp_path), tmp_path / "taken"
    taken.write_text("a file")
    said = "^no folder for components' work can be made .*name one with SPTRADER_COMPONENT_CACHE$"
    for temporary, refused in ((tmp_path, nullcontext()), (taken, pytest.raises(MachineError, match=said))):
        monkeypatch.setattr(tempfile, "tempdir", str(temporary))
        with Workers(start_worker, LoopThread(), ComponentCache(taken), taken / "folder", size=2) as workers, refused:
            assert len(PooledRunner(workers, load_catalogue(folder)).run([cross()])[0].events()) == 2


EARLY = """\
import json, os, sys
        frame = sys._getframe()
        while "answers" not in frame.f_locals: frame = frame.f_back
        job = json.loads(frame.f_locals["line"])["job"]
        os.write(frame.f_locals["answers"], json.dumps({"job": job, "error": "", "left": "", "short": ""}).encode() + b"\\n")
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
                with pytest.raises(MachineError, match=re.escape(words)):
                    desk.run(folder, [cross(attempt=1)])
            assert len(desk.run(folder, [cross(attempt=1)])[0].events()) == 2
        finally:
            desk.close()


def test_the_loop_never_looks_through_all_processes(pool: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a computer with many it would stand still for longer than a window may."""
    looked: list[int] = []

    def seen(attributes: object = None) -> Any:
        looked.append(threading.get_ident())
        return processes(attributes)

    processes = psutil.process_iter
    monkeypatch.setattr(psutil, "process_iter", seen)
    said = str(pool.run(acting(pool.folder / "ends", "import os; os._exit(3)\n"), [cross(attempt=2)])[0].result)
    assert "ended its process with exit code 3" in said
    assert looked
    assert loop_thread(pool) not in looked


def loop_thread(pool: Bench) -> int:
    async def here() -> int:
        return threading.get_ident()

    future = pool.workers.host.submit(here())
    while not future.done():
        pool.turn()
    return int(future.result())


# A computer that has no more of something


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Of one mebibyte, in memory."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("only an administrator can mount a disk that is small enough to fill")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


FILLS = """\
import os
        filler = os.open("filler", os.O_WRONLY | os.O_CREAT)
        try:
            while os.write(filler, b"x" * 65536): pass
        except OSError: pass
        """


@pytest.mark.parametrize("prints", ["", 'print("x" * 100_000)', 'print("x" * 5000, end="")'])
def test_a_full_scratch_folder_is_not_the_script_s_fault(small_disk: Path, monkeypatch: pytest.MonkeyPatch, prints: str) -> None:
    """Whether its answer finds no room, or what it prints, line by line or at its end; with room again the next job is done."""
    monkeypatch.setattr(scratch, "IN_MEMORY", small_disk)
    monkeypatch.setattr(scratch, "LEAST_FREE", 0)
    home = small_disk.parent
    desk = bench("asyncio", home)
    filler = desk.workers.files.folder / "filler"
    try:
        folder = acting(home / "full", edited(FILLS, '"filler"', repr(str(filler))) + prints + "\n")
        with pytest.raises(MachineError) as refused:
            desk.run(folder, [cross(attempt=1)])
        filler.unlink()
        assert len(desk.run(workspace(home / "good"), [cross(attempt=1)])[0].events()) == 2
    finally:
        desk.close()
    said = rf"{home}/full/.*cross.py: the folder for components' work, {small_disk}/.*, is full .No space left on device.: make room there"
    assert re.match(said, str(refused.value))


def test_candles_that_find_no_room_are_not_the_component_s_fault(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "IN_MEMORY", small_disk)
    monkeypatch.setattr(scratch, "LEAST_FREE", 0)
    desk = bench("asyncio", small_disk.parent)
    try:
        bars = [(0, 10, -10, 0)] * 50_000
        with pytest.raises(MachineError, match=r"cannot be handed over in .* .No space left on device.: make room there"):
            desk.run(workspace(small_disk.parent), [cross(hourly(bars))])
        assert len(desk.run(workspace(small_disk.parent), [cross()])[0].events()) == 2
    finally:
        desk.close()


STARVES = """\
import os
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        if os.fork() == 0:
            while True: pass
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        while True: pass
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be asked for so little of a processor")
def test_a_script_that_got_no_processor_is_not_slow(pool: Bench) -> None:
    """Another process that goes first, on the one processor it may use, takes all of its time. To sleep for as long is a misdeed."""
    said = r"cross.py: the computer was too busy to run it .it got a processor for 0\.[01] of its 2 s, and wanted one all the time"
    with pytest.raises(MachineError, match=said):
        pool.run(acting(pool.folder / "starved", STARVES), [cross(attempt=1)])


@pytest.fixture
def little_memory() -> Iterator[Path]:
    """A group of processes that the system lets have 150 MiB together."""
    group = next((base / f"sptrader-test-{os.getpid()}" for base in GROUPS if base.is_dir() and os.access(base, os.W_OK)), None)
    if group is None:
        pytest.skip("only an administrator of a Linux system can make a group of processes with little memory")
    group.mkdir()
    limit = "memory.limit_in_bytes" if group.parent.name == "memory" else "memory.max"
    (group / limit).write_text(str(150 * 2**20))
    yield group
    while (group / "cgroup.procs").read_text().strip():
        time.sleep(0.01)
    group.rmdir()


HUNGRY = """\
import os, pathlib
        pathlib.Path("GROUP/cgroup.procs").write_text(str(os.getpid()))
        held = bytearray(2**28)
        for at in range(0, len(held), 4096): held[at] = 1
"""


def test_a_script_that_the_system_ended_for_memory_did_not_end_itself(little_memory: Path, tmp_path: Path) -> None:
    desk = bench("asyncio", tmp_path)
    try:
        folder = acting(tmp_path, edited(HUNGRY, "GROUP", str(little_memory)))
        with pytest.raises(MachineError, match=r"cross.py: the system ended it because memory ran out: end other programs"):
            desk.run(folder, [cross(attempt=1)])
    finally:
        desk.close()
