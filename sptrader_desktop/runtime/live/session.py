"""One account that lives: facts are applied and written down together, and only what is written down is asked of the broker.

Restart is the same facts again. A fact that cannot follow from what is known stops all entries, and does so again at each restart.
Which signals have their outcome only the journal knows: it is as long as the session, and memory is not.
"""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from sptrader_desktop.core.broker_messages import Request
from sptrader_desktop.core.errors import BrokerMismatchError, JournalBroken
from sptrader_desktop.core.facts import (
    KINDS,
    BrokerDiffers,
    BrokerMet,
    Fact,
    SessionBegan,
    SignalJudged,
    SignalsRead,
    TakenOver,
    TransactionSeen,
)
from sptrader_desktop.core.live_account import LiveAccount
from sptrader_desktop.core.orders import IllegalMoveError
from sptrader_desktop.core.reconciliation import take_over
from sptrader_desktop.core.sequences import MOST_PUBLISHERS, Unjudged
from sptrader_desktop.ports import Journal
from sptrader_desktop.runtime.live.fact_text import fact_entry, read_fact
from sptrader_desktop.runtime.live.snapshots import APART, Snapshots, SnapshotStore


class Session:
    """`heard` is told of each fact once it was applied, also of those of the journal that no snapshot in `store` covers. What it makes of
    them is remembered with the account when it is given as `hearer`."""

    MADE: ClassVar = {"journal", "_heard", "_snapshots", "_entries", "_requests", "_judged", "_own"}

    def __init__(
        self,
        account: LiveAccount,
        journal: Journal,
        heard: Callable[[Fact], None] | None = None,
        store: SnapshotStore | None = None,
        hearer: object = None,
        apart: int = APART,
    ) -> None:
        self.account, self.journal = account, journal
        self._heard = heard
        owners = {"account": account, "session": self} | ({} if hearer is None else {"hearer": hearer})
        self._snapshots = None if store is None else Snapshots(store, account.book, owners, apart)
        self.began: SessionBegan | None = None
        self.broker: BrokerMet | None = None  # none before the first contact
        self.place = ""  # in the stream of signals: everything up to there has its outcome
        self.read_to = ""  # in the same stream: everything up to there was read once
        self.numbers: dict[str, int] = {}  # of publishers, the last that was read; who spoke last stands last
        self.unjudged = Unjudged()  # of what was read beyond `place`
        self._entries: list[tuple[str, bytes]] = []
        self._judged: set[str] = set()  # signals whose outcome is among these entries
        self._requests: list[Request] = []
        self._is_torn = False
        self._own: dict[type, Callable[[Any], Iterable[Request]]] = dict.fromkeys(KINDS.values(), account.apply) | {
            SessionBegan: self._begin,
            SignalJudged: self._judge,
            SignalsRead: self._read,
            BrokerMet: self._meet,
            BrokerDiffers: self._doubt,
            TakenOver: self._take_over,
        }

    def recover(self) -> int:
        """Apply what the journal holds behind the newest snapshot, ask for nothing; gives the number of these facts."""
        count = self.follow(self._snapshots.restore(self.journal) if self._snapshots else 0)
        self.tidy(is_quiet=True)
        return count

    def follow(self, after: int, until: int | None = None) -> int:
        """Apply entries of the journal; gives their number."""
        count = 0
        for entry in self.journal.read(after):
            if until is not None and entry.seq > until:
                break
            fact = read_fact(entry.kind, entry.body)
            self._apply(fact)
            if self._heard:
                self._heard(fact)
            count += 1
        return count

    def tidy(self, *, is_quiet: bool) -> None:
        """What need not delay a commit, between two; a snapshot where one is due."""
        self.journal.tidy()
        if self._snapshots and not self._entries:
            self._snapshots.keep_if_due(self.journal, is_quiet=is_quiet)

    def take(self, fact: Fact) -> None:
        """Nothing leaves before `commit`. What cannot be applied is not written down, and whoever believes half of it ends."""
        entry, self._is_torn = fact_entry(fact), True
        requests = self._apply(fact)
        self._is_torn = False
        self._entries.append(entry)
        if type(fact) is SignalJudged:
            self._judged.add(fact.id)
        if requests:
            self._requests += requests
        if self._heard:
            self._heard(fact)

    def is_judged(self, signal_id: str) -> bool:
        """However long ago."""
        return signal_id in self._judged or self.journal.knows(signal_id)

    def claim(self, since: int = 0) -> list[Request]:
        """Those of the requests that wait for the next commit, for whoever sends them after it."""
        claimed = self._requests[since:]
        del self._requests[since:]
        return claimed

    @property
    def waiting(self) -> int:
        """Requests that nobody has claimed."""
        return len(self._requests)

    @property
    def unwritten(self) -> int:
        """Facts that wait for the next commit."""
        return len(self._entries)

    def is_due(self, most: int) -> bool:
        """Whether to commit now, where `most` facts may wait for a request."""
        return bool(self._requests) or self.unwritten >= most

    def commit(self) -> list[Request]:
        """Everything since the last one is on disk when this returns; what it gives may be sent, once."""
        if self._is_torn:
            raise JournalBroken("a fact could not be applied whole: this process ends, and the next one reads what was written down")
        if self._entries:
            self.journal.append(self._entries)
            self._entries = []
            self._judged.clear()
        requests, self._requests = self._requests, []
        return requests

    def _apply(self, fact: Fact) -> Iterable[Request]:
        try:
            return self._own[type(fact)](fact)
        except (BrokerMismatchError, IllegalMoveError) as error:
            self.account.doubt(str(error))
        except (LookupError, ArithmeticError, ValueError) as error:  # a symbol nobody knows, more positions than there is room for
            if not isinstance(fact, TransactionSeen | TakenOver):
                raise
            self.account.doubt(f"what the broker told cannot be booked ({type(error).__name__}: {error})")
        return ()

    def _begin(self, fact: SessionBegan) -> Iterable[Request]:
        self.began = fact
        return ()

    def _judge(self, fact: SignalJudged) -> Iterable[Request]:
        if not self._goes_on_from(fact.place):
            self.unjudged.judged(fact.publisher, fact.number)
        return ()

    def _meet(self, fact: BrokerMet) -> Iterable[Request]:
        self.broker = fact
        return self.account.apply(fact)

    def _doubt(self, fact: BrokerDiffers) -> Iterable[Request]:
        self.account.doubt(fact.why)
        return ()

    def _take_over(self, fact: TakenOver) -> Iterable[Request]:
        self.account.at = fact.at  # what is asked for now is awaited from now on
        return self.account.ask(take_over, self.account, fact.snapshot)

    def _read(self, fact: SignalsRead) -> Iterable[Request]:
        self.read_to, is_all_judged = fact.read, self._goes_on_from(fact.place)
        for name, number in fact.numbers:
            before = self.numbers.pop(name, 0)
            self.numbers[name] = max(number, before)
            if not is_all_judged:
                self.unjudged.read(name, before, number)
        while len(self.numbers) > MOST_PUBLISHERS:
            del self.numbers[next(iter(self.numbers))]
        return ()

    def _goes_on_from(self, place: str) -> bool:
        """Whether everything that was read has its outcome."""
        if not place or place == self.place:
            return False
        self.place, self.unjudged = place, Unjudged()
        return True
