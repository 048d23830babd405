"""The journal and its disk: writers that are killed, power that goes, syncs that fail, disks that are full."""

import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sptrader_desktop.adapters import sqlite_journal
from sptrader_desktop.adapters.sqlite_journal import SqliteJournal
from sptrader_desktop.core.errors import JournalBroken, JournalError
from sptrader_desktop.runtime.disk_reserve import DiskReserve
from tests.conftest import ROOT
from tests.dying_journal import BROKEN, FEW
from tests.journals import SqlitePlace, check_content, fill, new_place
from tests.lost_power import TRACED, images

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for small disks, limits and traces of system calls")


@pytest.fixture
def place(tmp_path: Path) -> SqlitePlace:
    (tmp_path / "journal").mkdir()
    return SqlitePlace(tmp_path / "journal")


def writer(place: SqlitePlace, *way: str, through: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    command = [*through, sys.executable, str(ROOT / "tests" / "dying_journal.py"), str(place.path), *way]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": str(ROOT)})


def answered(child: subprocess.Popen[bytes]) -> int:
    """The last whole line of what a dead writer said."""
    assert child.stdout
    lines = child.stdout.read().decode().split("\n")[:-1]
    child.stdout.close()
    child.wait()
    return int(lines[-1]) if lines else 0


# Killed


def killed_writers(place: SqlitePlace, rounds: int, seed: int) -> None:
    """A new journal every ten rounds, or reading it would take longer than all the rest."""
    dice = random.Random(seed)
    for number in range(rounds):
        if number % 10 == 0:
            place = SqlitePlace(place.folder.with_name(f"round-{number}"))
            place.folder.mkdir()
        child = writer(place)
        assert child.stdout
        first = int(child.stdout.readline())
        with pytest.raises(JournalError, match="another program trades with this journal"):
            place.open()
        time.sleep(dice.random() * 0.15)
        child.kill()
        least = max(first, answered(child))
        with closing(place.open()) as journal:
            check_content(journal, least)


def test_a_killed_writer_leaves_every_answered_commit_and_no_half_one(place: SqlitePlace) -> None:
    killed_writers(place, 5, 1)


@pytest.mark.campaign
@pytest.mark.timeout(1800)
def test_two_hundred_killed_writers_leave_every_answered_commit(place: SqlitePlace) -> None:
    killed_writers(place, 200, 2)


# Synced


@pytest.fixture
def strace(tmp_path: Path) -> Callable[..., tuple[str, ...]]:
    program = shutil.which("strace")
    if not program or subprocess.run([program, "-o", os.devnull, "true"], check=False, capture_output=True).returncode:
        pytest.skip("needs strace, and the right to trace")
    return lambda *options: (program, "-f", "-y", "-s", "4", "-o", str(tmp_path / "trace"), *options)


def early_answers(trace: str) -> tuple[int, int]:
    """Answers that came while something in SQLite's log was not synced, and all answers."""
    early = total = 0
    is_synced = True
    for call, file, rest in re.findall(r"^\d+ +(\w+)\((\d+<[^>]*>)(.*)$", trace, re.MULTILINE):
        if file.endswith("-wal>"):
            is_synced = call == "fdatasync" and rest.endswith("= 0")
        elif file.startswith("1<") or file.endswith(".head>"):
            early += not is_synced
            total += file.startswith("1<")
    return early, total


@LINUX
@pytest.mark.parametrize("way", ["synced", "unsynced"])
def test_a_commit_is_synced_before_it_is_answered_and_a_journal_that_does_not_is_seen(
    place: SqlitePlace, strace: Callable[..., tuple[str, ...]], tmp_path: Path, way: str
) -> None:
    answered(writer(place, "few", way, through=strace("-e", "trace=pwrite64,write,fdatasync,fsync")))
    early, total = early_answers((tmp_path / "trace").read_text())
    assert total == FEW
    assert (early == 0) == (way == "synced")


def check_lost_power(place: SqlitePlace, strace: Callable[..., tuple[str, ...]], tmp_path: Path, *way: str, times: int, seed: int) -> None:
    answered(writer(place, "few", *way, through=strace("-xx", "-s", "9999", "-e", TRACED)))
    made = 0
    for least, files in images((tmp_path / "trace").read_text(), place.folder, times, seed):
        with new_place("sqlite") as left:
            assert isinstance(left, SqlitePlace)
            for name, content in files.items():
                (left.folder / name).write_bytes(content)
            with closing(left.open()) as journal:
                check_content(journal, least)
                fill(journal, 2)
            with closing(left.open()) as journal:
                check_content(journal, least + 2)
        made += 1
    assert made > times / 2


@LINUX
def test_nothing_that_was_answered_is_lost_with_the_power(
    place: SqlitePlace, strace: Callable[..., tuple[str, ...]], tmp_path: Path
) -> None:
    check_lost_power(place, strace, tmp_path, times=150, seed=1)


@LINUX
def test_a_journal_that_does_not_sync_is_seen_to_lose_what_it_answered(
    place: SqlitePlace, strace: Callable[..., tuple[str, ...]], tmp_path: Path
) -> None:
    with pytest.raises((AssertionError, JournalError)):
        check_lost_power(place, strace, tmp_path, "unsynced", times=150, seed=1)


@LINUX
@pytest.mark.campaign
@pytest.mark.timeout(1800)
def test_nothing_that_was_answered_is_lost_in_twenty_thousand_losses_of_power(
    place: SqlitePlace, strace: Callable[..., tuple[str, ...]], tmp_path: Path
) -> None:
    check_lost_power(place, strace, tmp_path, times=20_000, seed=2)


@LINUX
@pytest.mark.parametrize("sync", [12, 25])
def test_a_sync_that_fails_ends_the_program_and_what_was_answered_is_there(
    place: SqlitePlace, strace: Callable[..., tuple[str, ...]], sync: int
) -> None:
    child = writer(place, through=strace("-e", "trace=fdatasync", "-e", f"inject=fdatasync:error=EIO:when={sync}+"))
    least = answered(child)
    assert child.returncode == BROKEN
    with closing(place.open()) as journal:
        check_content(journal, least)


def test_settings_that_sqlite_does_not_keep_to_are_refused(place: SqlitePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, _, meant in sqlite_journal.PRAGMAS:
        if name != "locking_mode":
            monkeypatch.setattr(sqlite_journal, "PRAGMAS", ((name, "DELETE" if name == "journal_mode" else 1 - bool(meant), meant),))
            with pytest.raises(JournalError, match=f"does not keep to {name}"):
                place.open()


# Full


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SqlitePlace]:
    """Of four mebibytes, in memory."""
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], check=False, capture_output=True).returncode:
        pytest.skip("only an administrator can mount a disk that is small enough to fill")
    yield SqlitePlace(place)
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def check_full(place: SqlitePlace) -> None:
    """Entries are written on into the reserve; when that is used up too the journal ends, and all is there."""
    with closing(SqliteJournal(place.path, reserve=1 << 20)) as journal:
        assert place.path.with_suffix(".reserve").stat().st_size == 1 << 20
        (place.folder / "filler").write_bytes(bytes(2 << 20))
        while not journal.is_full:
            fill(journal, 1)
        first_in_reserve, _ = journal.head
        with pytest.raises(JournalBroken, match="the room that was kept free"):
            fill(journal, 10_000)
        least, _ = journal.head
        assert least > first_in_reserve + 300
        with pytest.raises(JournalBroken):
            journal.append([("bar", b"")])
    with closing(SqliteJournal(place.path, reserve=1 << 20)) as journal:
        check_content(journal, least)
        told = [journal.is_full]
        (place.folder / "filler").unlink()
        journal.tidy()
        assert [*told, journal.is_full] == [True, False]
        fill(journal, 20)
        check_content(journal)


@LINUX
def test_a_full_disk_has_room_for_what_lessens_risk(small_disk: SqlitePlace) -> None:
    check_full(small_disk)


@LINUX
def test_a_reserve_that_is_not_given_back_is_seen(small_disk: SqlitePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DiskReserve, "give", lambda _: False)
    with pytest.raises((AssertionError, JournalBroken)):
        check_full(small_disk)


@LINUX
def test_a_journal_that_may_not_grow_ends_the_program(place: SqlitePlace) -> None:
    child = writer(place, "limited")
    least = answered(child)
    assert child.returncode == BROKEN
    with closing(place.open()) as journal:
        check_content(journal, least)
