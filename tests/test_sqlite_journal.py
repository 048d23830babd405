"""The journal in SQLite: files that somebody changed, the head beside it, old formats, and threads."""

import os
import random
import shutil
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from sptrader_desktop.adapters import sqlite_journal
from sptrader_desktop.adapters.sqlite_journal import VERSION, SqliteJournal
from sptrader_desktop.core.errors import JournalError
from sptrader_desktop.ports import JournalEntry
from sptrader_desktop.runtime.journal_chain import Chain
from tests import test_journal
from tests.conftest import ROOT
from tests.journals import SqlitePlace, check_content, fill

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


@pytest.mark.parametrize(
    "edits",
    [
        ("DELETE FROM outcomes WHERE name IN (SELECT name FROM outcomes LIMIT 1)",),
        ("UPDATE outcomes SET name = name + 1 WHERE name IN (SELECT max(name) FROM outcomes)",),
        ("UPDATE outcomes SET last = last + 1 WHERE name IN (SELECT max(name) FROM outcomes)",),
        ("UPDATE outcome_sums SET names = names - 1",),
        ("DELETE FROM outcomes", "DELETE FROM outcome_sums"),
        ("DROP TABLE outcomes", "DROP TABLE outcome_sums", "PRAGMA user_version = 1"),
    ],
)
def test_an_index_of_outcomes_that_was_altered_or_was_never_there_is_made_from_the_commits(
    written: SqlitePlace, edits: tuple[str, ...]
) -> None:
    altered(written, *edits)
    assert not test_journal.check_opening(written, COMMITS)
    with closing(sqlite3.connect(written.path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (VERSION,)


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
    for path in (ROOT / "tests" / "old_journals").glob("*.sql"):
        place = SqlitePlace(tmp_path / path.stem)
        place.folder.mkdir()
        with closing(sqlite3.connect(place.path)) as database:
            database.executescript(path.read_text(encoding="utf-8"))
        shutil.copy(path.with_suffix(".head"), place.path.with_suffix(".head"))
        check_old(place)


def check_old(place: SqlitePlace) -> None:
    with closing(place.open()) as journal:
        assert list(journal.read()) == [
            JournalEntry(1, "bar", b'{"symbol":"EURUSD","close":108123}'),
            JournalEntry(2, "signal", b'{"signal_id":"a1"}'),
            JournalEntry(3, "intent", b'{"do":"place","id":"i1"}'),
            JournalEntry(4, "transaction", b'{"is":"transaction","n":1}'),
            JournalEntry(5, "note", b""),
            JournalEntry(6, "raw", bytes(range(256))),
        ]
        assert journal.append([("bar", b"on it goes")]) == 7


def test_a_journal_that_can_only_be_read_is_refused(written: SqlitePlace) -> None:
    """Here because of the bit that says so in a database's header."""
    content = bytearray(written.path.read_bytes())
    content[18] = 3
    written.path.write_bytes(content)
    with pytest.raises(JournalError, match="cannot be written"):
        written.open()


def test_a_newer_format_is_refused(written: SqlitePlace) -> None:
    altered(written, f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(JournalError, match=r"written by a newer sptrader .*update sptrader"):
        written.open()
    altered(written, f"PRAGMA user_version = {VERSION}")
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
