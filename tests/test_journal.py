"""A journal gives back what was committed, whole and in order, or refuses to open: the real one and the simulated one alike."""

import random
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.core.errors import JournalBroken, JournalError, SptraderError
from sptrader_desktop.ports import Journal, JournalEntry
from sptrader_desktop.runtime.journal_chain import GENESIS
from tests.journals import Entries, Place, SimulatedPlace, SqlitePlace, check_content, fill, new_place, numbered
from tests.simulated_disk import Crashed, Fault, Moment

KINDS = pytest.mark.parametrize("kind", ["sqlite", "simulated"])
ENTRIES = st.lists(st.tuples(st.sampled_from(["bar", "signal_2", "x"]), st.binary(max_size=200)), max_size=8)
STEPS = st.lists(st.one_of(ENTRIES, st.sampled_from(["tidy", "close", "die"])), max_size=12)


@pytest.fixture(params=["sqlite", "simulated"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with new_place(request.param) as made:
        yield made


# What is written is read


@KINDS
@settings(max_examples=30)
@given(steps=STEPS, after=st.integers(0, 40))
def test_what_was_committed_comes_back_whatever_happens_in_between(kind: str, steps: list[Entries | str], after: int) -> None:
    with new_place(kind) as place:
        journal, written = place.open(), Entries()
        for step in steps:
            if isinstance(step, list):
                assert journal.append(step) == len(written := written + step)
            else:
                journal = disturbed(place, journal, step)
        assert list(journal.read()) == numbered(written)
        assert list(journal.read(after)) == numbered(written)[after:]
        assert journal.head[0] == len(written)
        journal.close()


def disturbed(place: Place, journal: Journal, step: str) -> Journal:
    head = journal.head
    if step == "tidy":
        journal.tidy()
        return journal
    if step == "close":
        journal.close()
    else:
        place.die(journal)
    journal = place.open()
    assert journal.head == head
    return journal


def test_both_journals_tell_the_same_head_of_the_same_commits() -> None:
    heads = set()
    for kind in ("sqlite", "simulated"):
        with new_place(kind) as place:
            journal = place.open()
            assert journal.head == (0, GENESIS)
            fill(journal, 20)
            heads.add(journal.head)
            journal.close()
    assert len(heads) == 1


def test_what_is_appended_while_it_is_read_comes_with_the_next_reading(place: Place) -> None:
    journal = place.open()
    end = fill(journal, 30)
    seen = 0
    for entry in journal.read():
        seen = entry.seq
        journal.append([("seen", b"%d" % seen)])
    assert seen == end
    assert [entry.body for entry in journal.read(end)] == [b"%d" % seq for seq in range(1, end + 1)]
    journal.close()


def test_a_kind_that_is_no_word_is_refused_and_nothing_is_written(place: Place) -> None:
    journal = place.open()
    for kind in ("", "Bar", "a b", "1", "bar\n", "ä"):
        with pytest.raises(ValueError, match="small letters"):
            journal.append([("bar", b""), (kind, b"")])
    assert journal.append([("bar", b"whole\n3\n")]) == 1
    assert list(journal.read()) == [JournalEntry(1, "bar", b"whole\n3\n")]
    journal.close()


def test_a_journal_has_one_writer(place: Place) -> None:
    journal = place.open()
    with pytest.raises(JournalError, match="another program trades with this journal"):
        place.open()
    journal.append([("bar", b"")])
    journal.close()
    place.open().close()


# What was altered is found


def left(place: Place) -> tuple[Place, int]:
    """As a killed program left it: the simulated journal in one piece, the real one partly in its file and partly in SQLite's log."""
    journal = place.open()
    fill(journal, 25)
    journal.close()
    journal = place.open()
    fill(journal, 6)
    place.die(journal)
    return place, journal.head[0]


def check_opening(place: Place, least: int) -> bool:
    """Whether it is refused. If not, all is there, also after more was written."""
    try:
        journal = place.open()
    except JournalError:
        return True
    for _ in range(3):
        with closing(journal):
            check_content(journal, least)
            fill(journal, 4)
        journal = place.open()
    with closing(journal):
        check_content(journal, least)
    return False


def flips(place: Place, times: int, seed: int) -> int:
    """Half of them in what a killed program left, half in a journal that was closed."""
    killed, least = left(place)
    closed = killed.copy()
    closed.open().close()
    dice = random.Random(seed)
    found = 0
    for number in range(times):
        original = closed if number % 2 else killed
        copied = original.copy()
        copied.flip(original.vulnerable(dice), dice.randrange(8))
        found += check_opening(copied, least)
        if isinstance(copied, SqlitePlace):
            copied.remove()
    return found


def test_a_flipped_bit_is_found_or_changes_nothing(place: Place) -> None:
    assert flips(place, 200, 1) > 120  # where the index of outcomes is hit it is made again


@pytest.mark.campaign
@pytest.mark.timeout(1800)
def test_ten_thousand_flipped_bits_are_found_or_change_nothing(place: Place) -> None:
    assert flips(place, 10_000, 2) > 7_000  # as above: a quarter lies in that index and in what SQLite does not use


def test_a_journal_that_was_cut_short_is_refused_or_lost_nothing(place: Place) -> None:
    """What lies in SQLite's log is not needed in its file."""
    original, least = left(place)
    dice = random.Random(3)
    refused = 0
    for size in [0, original.size() - 1, *(dice.randrange(original.size()) for _ in range(30))]:
        copied = original.copy()
        copied.cut(size)
        refused += check_opening(copied, least)
    assert refused > 28


def test_an_older_copy_and_a_lost_journal_are_refused(place: Place) -> None:
    journal = place.open()
    fill(journal, 5)
    journal.close()
    older = place.copy()
    journal = place.open()
    journal.append([("bar", b"one more")])
    newer, _ = journal.head
    journal.close()
    place.put_back(older)
    with pytest.raises(JournalError, match=rf"there were {newer}.*do not trade on"):
        place.open().close()
    place.lose()
    with pytest.raises(JournalError, match=rf"{newer}.*do not trade on"):
        place.open()


def test_another_journal_of_the_same_length_is_refused(place: Place) -> None:
    other = place.copy()
    for each, body in ((place, b"ours"), (other, b"theirs")):
        journal = each.open()
        journal.append([("bar", body)])
        journal.close()
    place.put_back(other)
    with pytest.raises(JournalError, match="not the one that was written"):
        place.open()


# What cannot be written


def test_nothing_that_catches_errors_catches_a_broken_journal() -> None:
    assert issubclass(JournalError, SptraderError)
    assert not issubclass(JournalBroken, Exception)


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("survivors", [0, 1, 50, 1 << 62])
def test_a_simulated_crash_leaves_whole_commits_and_every_answered_one(moment: Moment, survivors: int) -> None:
    place = SimulatedPlace()
    place.disk.fault = lambda at: Fault.CRASH if at is moment and len(place.disk.kept) > 20_000 else None
    journal = place.open()
    with pytest.raises(Crashed):
        fill(journal, 1000)
    answered, _ = journal.head
    place.disk.crash(survivors)
    again = place.open()
    check_content(again, answered)
    is_there = moment is Moment.SYNCED or (moment is Moment.WRITTEN and survivors == 1 << 62)
    assert (again.head[0] > answered) == is_there


@pytest.mark.parametrize("survivors", [0, 50, 1 << 62])
def test_a_simulated_sync_that_fails_ends_the_journal(survivors: int) -> None:
    place = SimulatedPlace()
    journal = place.open()
    fill(journal, 5)
    place.disk.fault = lambda _: Fault.FAILED_SYNC
    for _ in range(2):
        with pytest.raises(JournalBroken, match="this process ends"):
            fill(journal, 1)
    answered, _ = journal.head
    place.disk.fault = lambda _: None
    place.disk.crash(survivors)
    check_content(place.open(), answered)


def test_a_simulated_full_disk_writes_into_its_reserve_and_then_ends() -> None:
    place = SimulatedPlace()
    place.disk.room = 10_000
    journal = place.open()
    while not journal.is_full:
        fill(journal, 1)
    first_in_reserve, _ = journal.head
    with suppress(JournalBroken):
        fill(journal, 1000)
    answered, _ = journal.head
    assert answered > first_in_reserve
    place.disk.crash()
    check_content(place.open(), answered)
