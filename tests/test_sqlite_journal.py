"""The journal on real disks: killed writers, disks that are full or fail, files that somebody changed, and old formats."""

import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sptrader_desktop.adapters import sqlite_journal
from sptrader_desktop.adapters.sqlite_journal import SqliteJournal
from sptrader_desktop.core.errors import JournalBroken, JournalError
from sptrader_desktop.ports import JournalEntry
from sptrader_desktop.runtime.disk_reserve import DiskReserve
from sptrader_desktop.runtime.journal_chain import Chain
from tests import test_journal
from tests.conftest import ROOT
from tests.dying_journal import BROKEN, FEW
from tests.journals import SqlitePlace, check_content, fill, new_place
from tests.lost_power import TRACED, images

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for small disks, limits and traces of system calls")
COMMITS = 40


@pytest.fixture
def place(tmp_path: Path) -> SqlitePlace:
    (tmp_path / "journal").mkdir()
    return SqlitePlace(tmp_path / "journal")


@pytest.fixture
def written(place: SqlitePlace) -> SqlitePlace:
    journal = place.open()
    fill(journal, COMMITS)
    journal.close()
    return place


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
    journal = SqliteJournal(place.path, reserve=1 << 20)
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
    journal.close()
    journal = SqliteJournal(place.path, reserve=1 << 20)
    check_content(journal, least)
    told = [journal.is_full]
    (place.folder / "filler").unlink()
    journal.tidy()
    assert [*told, journal.is_full] == [True, False]
    fill(journal, 20)
    check_content(journal)
    journal.close()


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


# Altered by hand


def altered(place: SqlitePlace, *statements: str) -> None:
    with closing(sqlite3.connect(place.path, isolation_level=None)) as database:
        for statement in statements:
            database.execute(statement)


def lasts(place: SqlitePlace) -> list[int]:
    with closing(sqlite3.connect(place.path)) as database:
        return [last for (last,) in database.execute("SELECT last FROM commits ORDER BY last")]


EDITS = {
    "deleted": "DELETE FROM commits WHERE last = {at}",
    "another body": "UPDATE commits SET entries = CAST(replace(CAST(entries AS TEXT), ' ', '  ') AS BLOB) WHERE last = {at}",
    "another hash": "UPDATE commits SET hash = randomblob(16) WHERE last = {at}",
    "another number": "UPDATE commits SET last = {at} - 1 WHERE last = {at}",
    "moved": "UPDATE commits SET (entries, hash) = (SELECT entries, hash FROM commits WHERE last = {after}) WHERE last = {at}",
    "moved wholly": "UPDATE commits SET last = CASE last WHEN {at} THEN -1 ELSE last END WHERE last = {at}",
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_commit_that_was_edited_is_named(written: SqlitePlace, edit: str) -> None:
    numbers = lasts(written)
    place = COMMITS // 2
    altered(written, EDITS[edit].format(at=numbers[place], after=numbers[place + 1]))
    first = 1 if edit == "moved wholly" else numbers[place - 1] + 1
    with pytest.raises(
        JournalError, match=rf"the commit of entries {first} to .* was altered.*first {first - 1} entries are as they were written"
    ):
        written.open()


def test_a_history_that_was_written_anew_is_refused(written: SqlitePlace) -> None:
    """Every hash fits, but the head that was told is another."""
    chain, seq = Chain(), 0
    with closing(sqlite3.connect(written.path, isolation_level=None)) as database:
        for last, entries in database.execute("SELECT last, entries FROM commits ORDER BY last").fetchall():
            changed = entries if seq else entries.replace(b"signal", b"sigmal").replace(b"bar", b"car").replace(b"intent", b"indent")
            chain, seq = chain.with_commit(last, changed), last
            database.execute("UPDATE commits SET entries = ?, hash = ? WHERE last = ?", (changed, chain.hash, last))
    with pytest.raises(JournalError, match=f"entry {seq} is not the one that was written"):
        written.open()


def test_a_file_that_is_no_journal_stays_as_it_is(tmp_path: Path) -> None:
    for name, content in {"text": b"dear diary\n" * 500, "database": sqlite_file(tmp_path)}.items():
        (tmp_path / name).mkdir()
        place = SqlitePlace(tmp_path / name)
        place.path.write_bytes(content)
        with pytest.raises(JournalError, match="do not trade on"):
            place.open()
        with pytest.raises(JournalError, match="do not trade on"):
            place.open()
        if name == "text":
            assert place.path.read_bytes() == content


def sqlite_file(folder: Path) -> bytes:
    path = folder / "other"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE other (value INTEGER)")
    return path.read_bytes()


def test_a_log_that_cannot_be_read_is_kept_when_the_journal_is_refused(place: SqlitePlace) -> None:
    journal = place.open()
    fill(journal, 6)
    place.die(journal)
    log = place.folder / "journal.sqlite3-wal"
    content = bytearray(log.read_bytes())
    content[-1] ^= 1
    log.write_bytes(content)
    for _ in range(2):
        with pytest.raises(JournalError, match="it lost its end"):
            place.open()
    assert [path.read_bytes() for path in place.folder.glob("journal.sqlite3-wal.*")] == [bytes(content)]


# The head beside it


def test_one_line_of_the_head_is_enough_and_none_is_not(written: SqlitePlace) -> None:
    head = written.path.with_suffix(".head")
    content = head.read_bytes()
    for line in (slice(0, 128), slice(128, 256)):
        changed = bytearray(content)
        changed[line] = b"?" * 128
        head.write_bytes(changed)
        with closing(written.open()) as journal:
            check_content(journal)
    for other in (b"?" * 256, content[:200], b""):
        head.write_bytes(other)
        with pytest.raises(JournalError, match=r"journal\.head is damaged"):
            written.open()
    head.unlink()
    with pytest.raises(JournalError, match="its head file is gone"):
        written.open()


def test_a_head_that_lags_behind_is_brought_up(written: SqlitePlace) -> None:
    older = written.path.with_suffix(".head").read_bytes()
    journal = written.open()
    fill(journal, 3)
    journal.close()
    written.path.with_suffix(".head").write_bytes(older)
    written.open().close()
    assert written.path.with_suffix(".head").read_bytes() not in {older, b""}
    written.lose()
    with pytest.raises(JournalError, match="is missing, but what stands beside it tells of a journal"):
        written.open()


# Formats, places, threads


def test_journals_of_every_format_are_read(tmp_path: Path) -> None:
    old = Path(shutil.copytree(ROOT / "tests" / "old_journals" / "format_1", tmp_path / "old"))
    with closing(SqlitePlace(old).open()) as journal:
        assert list(journal.read()) == [
            JournalEntry(1, "bar", b'{"symbol":"EURUSD","close":108123}'),
            JournalEntry(2, "signal", b'{"signal_id":"a1"}'),
            JournalEntry(3, "intent", b'{"do":"place","id":"i1"}'),
            JournalEntry(4, "transaction", b'{"is":"transaction","n":1}'),
            JournalEntry(5, "note", b""),
            JournalEntry(6, "raw", bytes(range(256))),
        ]
        assert journal.append([("bar", b"on it goes")]) == 7


def test_a_newer_format_is_refused(written: SqlitePlace) -> None:
    altered(written, "PRAGMA user_version = 2")
    with pytest.raises(JournalError, match=r"written by a newer sptrader .*update sptrader"):
        written.open()
    altered(written, "PRAGMA user_version = 1")
    with closing(written.open()) as journal:
        check_content(journal)


def test_a_journal_that_another_program_reads_is_refused_and_stays_whole(written: SqlitePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_journal, "WAIT_SECONDS", 0.0)
    with closing(sqlite3.connect(written.path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM commits").fetchone()
        with pytest.raises(JournalError, match="another program has the journal open"):
            written.open()
    with closing(written.open()) as journal:
        check_content(journal)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(JournalError, match="cannot be kept here"):
        SqliteJournal(tmp_path / "file" / "journal.sqlite3")


@pytest.mark.skipif(os.name != "posix", reason="Windows has other rights")
def test_nobody_else_may_read_a_journal(place: SqlitePlace) -> None:
    journal = place.open()
    fill(journal, 2)
    assert {path.stat().st_mode & 0o077 for path in place.folder.iterdir()} == {0}
    assert len(list(place.folder.iterdir())) == 5
    journal.close()


def test_threads_take_turns_or_are_told(place: SqlitePlace) -> None:
    journal, kept = place.open(), []

    def write(name: bytes) -> None:
        for number in range(100):
            body = b"%b %d" % (name, number)
            try:
                kept.append((journal.append([("bar", body)]), body))
            except RuntimeError:
                time.sleep(0.0005)

    threads = [threading.Thread(target=write, args=(name,)) for name in (b"a", b"b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept) >= 100
    assert list(journal.read()) == [JournalEntry(seq, "bar", body) for seq, body in sorted(kept)]
    journal.close()


def test_what_waits_in_the_log_is_moved_when_nothing_waits(place: SqlitePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_journal, "QUIET_BYTES", 50_000)
    monkeypatch.setattr(sqlite_journal, "MOST_BYTES", 300_000)
    journal, sizes = place.open(), []
    log = place.path.with_name("journal.sqlite3-wal")
    for tidies in (True, False):
        for _ in range(150):
            fill(journal, 1)
            if tidies:
                journal.tidy()
        sizes.append(log.stat().st_size)
    assert sizes[0] < 300_000 < sizes[1] < 1_200_000
    check_content(journal)
    journal.close()


# What the tests would see


def test_a_journal_that_believes_its_hashes_is_seen(place: SqlitePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    def believe(chain: Chain, commits: list[tuple[bytes, bytes, bytes]]) -> int:
        for last, entries, said in commits:
            chain.__dict__.update(chain.with_commit(int(last), entries).__dict__, hash=said)
        return len(commits)

    monkeypatch.setattr(Chain, "follow_block", believe)
    with pytest.raises((AssertionError, JournalError)):
        test_journal.flips(place, 200, 1)


def test_a_journal_that_does_not_look_at_its_head_is_seen(place: SqlitePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqliteJournal, "_compare", lambda _journal, _told: None)
    with pytest.raises(AssertionError):
        test_journal.flips(place, 200, 1)
    with pytest.raises(pytest.fail.Exception):
        test_journal.test_an_older_copy_and_a_lost_journal_are_refused(place.copy())


# The chain


def test_a_chain_is_the_hashes_that_the_document_says() -> None:
    """And a block at a time it comes to the same, however many commits there are."""
    from hashlib import blake2b

    commits, block, chain = [], bytes(16), Chain()
    for number in range(1, 2101):
        entries = b"bar 1\n%d\n" % (number % 10)
        block += b"%d" % number + entries
        said = blake2b(block, digest_size=16).digest()
        block = said if number % 256 == 0 else block + said
        chain = chain.with_commit(number, entries)
        assert chain.hash == said
        commits.append((b"%d" % number, entries, said))
    again = Chain()
    for start in range(0, 2100, 256):
        assert again.follow_block(commits[start : start + 256]) == len(commits[start : start + 256])
    assert again.hash == chain.hash
    assert again.with_commit(2101, b"").hash == chain.with_commit(2101, b"").hash
    for place in random.Random(4).sample(range(256), 40):
        for part in range(3):
            changed = commits[:256]
            changed[place] = tuple(b"%b7" % value if at == part else value for at, value in enumerate(changed[place]))  # type: ignore[assignment]
            assert Chain().follow_block(changed) == place
