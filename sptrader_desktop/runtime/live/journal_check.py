"""All facts of a journal once more, from the first, and whether they come to what its snapshots say."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sptrader_desktop.ports import Journal
from sptrader_desktop.runtime.live.memory import Memory
from sptrader_desktop.runtime.live.session import Session
from sptrader_desktop.runtime.live.snapshots import Snapshot

NewLife = Callable[[], tuple[Session, object]]


@dataclass(frozen=True, slots=True)
class Checked:
    facts: int
    agreeing: tuple[int, ...]  # the entries of the snapshots to which all facts come
    differing: tuple[int, ...]


def check_journal(journal: Journal, snapshots: Iterable[Snapshot], new_life: NewLife) -> Checked:
    """`new_life` gives a session that has lived through nothing, and what hears of its facts."""
    (session, hearer), done, agreeing, differing = new_life(), 0, list[int](), list[int]()
    for snapshot in sorted(snapshots, key=lambda each: each.seq):
        done += session.follow(done, snapshot.seq)
        found = agreeing if _is_same(snapshot, journal, _memory(session, hearer), new_life) else differing
        found.append(snapshot.seq)
    done += session.follow(done)
    return Checked(done, tuple(agreeing), tuple(differing))


def _is_same(snapshot: Snapshot, journal: Journal, wanted: Memory, new_life: NewLife) -> bool:
    life = new_life()
    try:
        _memory(*life).put_back(snapshot.present)
    except ValueError:
        return False
    return journal.hash_of(snapshot.seq) == snapshot.head and _memory(*life).take().written() == wanted.take().written()


def _memory(session: Session, hearer: object) -> Memory:
    return Memory(session.account.book, {"account": session.account, "session": session, "hearer": hearer})
