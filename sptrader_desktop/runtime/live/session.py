"""One account that lives: facts are applied and written down together, and only what is written down is asked of the broker.

Restart is the same facts again. A fact that cannot follow from what is known stops all entries, and does so again at each restart.
"""

from collections.abc import Callable, Iterable

from sptrader_desktop.core.broker_messages import Request
from sptrader_desktop.core.errors import BrokerMismatchError, JournalBroken
from sptrader_desktop.core.facts import BrokerDiffers, BrokerMet, Fact, SessionBegan, SignalJudged, SignalsRead, TakenOver, TransactionSeen
from sptrader_desktop.core.live_account import LiveAccount
from sptrader_desktop.core.orders import IllegalMoveError
from sptrader_desktop.core.reconciliation import take_over
from sptrader_desktop.ports import Journal
from sptrader_desktop.runtime.live.fact_text import fact_entry, read_fact


class Session:
    """`heard` is told of each fact once it was applied, also of those of the journal."""

    def __init__(self, account: LiveAccount, journal: Journal, heard: Callable[[Fact], None] | None = None) -> None:
        self.account, self.journal = account, journal
        self._heard = heard or _nobody
        self.judged: dict[str, str] = {}  # id of a signal → what became of it
        self.began: SessionBegan | None = None
        self.broker: BrokerMet | None = None  # none before the first contact
        self.place = ""  # in the stream of signals: everything up to there has its outcome
        self.read_to = ""  # in the same stream: everything up to there was read once
        self.numbers: dict[str, int] = {}  # of publishers, the last that was read; who spoke last stands last
        self._entries: list[tuple[str, bytes]] = []
        self._requests: list[Request] = []
        self._is_torn = False

    def recover(self) -> int:
        """Apply what the journal holds, ask for nothing; gives the number of its facts."""
        count = 0
        for entry in self.journal.read():
            fact = read_fact(entry.kind, entry.body)
            self._apply(fact)
            self._heard(fact)
            count += 1
        return count

    def take(self, fact: Fact) -> None:
        """Nothing leaves before `commit`. What cannot be applied is not written down, and whoever believes half of it ends."""
        entry, self._is_torn = fact_entry(fact), True
        requests = self._apply(fact)
        self._is_torn = False
        self._entries.append(entry)
        self._requests += requests
        self._heard(fact)

    def claim(self, since: int = 0) -> list[Request]:
        """Those of the requests that wait for the next commit, for whoever sends them after it."""
        claimed = self._requests[since:]
        del self._requests[since:]
        return claimed

    @property
    def waiting(self) -> int:
        """Requests that nobody has claimed."""
        return len(self._requests)

    def commit(self) -> list[Request]:
        """Everything since the last one is on disk when this returns; what it gives may be sent, once."""
        if self._is_torn:
            raise JournalBroken("a fact could not be applied whole: this process ends, and the next one reads what was written down")
        if self._entries:
            self.journal.append(self._entries)
            self._entries = []
        requests, self._requests = self._requests, []
        return requests

    def _apply(self, fact: Fact) -> Iterable[Request]:
        if isinstance(fact, SessionBegan):
            self.began = fact
            return ()
        if isinstance(fact, SignalJudged):
            self.judged[fact.id] = fact.outcome
            self.place = fact.place or self.place
            return ()
        if isinstance(fact, SignalsRead):
            self.read_to, self.place = fact.read, fact.place or self.place
            for name, number in fact.numbers:
                self.numbers[name] = max(number, self.numbers.pop(name, number))
            return ()
        if isinstance(fact, BrokerMet):
            self.broker = fact
        if isinstance(fact, BrokerDiffers):
            self.account.doubt(fact.why)
            return ()
        try:
            if isinstance(fact, TakenOver):
                self.account.at = fact.at  # what is asked for now is awaited from now on
                return self.account.ask(lambda: take_over(self.account, fact.snapshot))
            return self.account.apply(fact)
        except (BrokerMismatchError, IllegalMoveError) as error:
            self.account.doubt(str(error))
        except (LookupError, ArithmeticError, ValueError) as error:  # a symbol nobody knows, more positions than there is room for
            if not isinstance(fact, TransactionSeen | TakenOver):
                raise
            self.account.doubt(f"what the broker told cannot be booked ({type(error).__name__}: {error})")
        return ()


def _nobody(_fact: Fact) -> None:
    pass
