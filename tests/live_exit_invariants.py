"""What was to be closed and was not is on its way again; a level that no broker holds ends its position at the first price that meets it.

Everything here follows from facts and requests alone: which closes and levels did not come about is counted a second time.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from sptrader_desktop.core import facts
from sptrader_desktop.core.broker_messages import Close, Protect, Request, What
from sptrader_desktop.core.live_account import LiveAccount
from sptrader_desktop.core.records import PARTIAL
from sptrader_desktop.core.tables import FAR
from sptrader_desktop.runtime.live.clock import SECOND_US
from sptrader_desktop.runtime.live.session import Session

if TYPE_CHECKING:
    from sptrader_desktop.runtime.live.engine import Market

UNDOES = frozenset({What.REJECTED, What.CANCELLED, What.EXPIRED})
BY_A_LEVEL = frozenset({"stop_loss", "trailing_stop", "take_profit"})
REST_US = SECOND_US  # so long a close of a watched position that was refused is not asked again
SOON_S = 2.0  # after that what is undone was asked again at least once, if the broker is heard


class ExitWatch:
    """By the broker's numbers of positions."""

    def __init__(self, shadow: Session, time: Callable[[], float]) -> None:
        self._shadow, self._time = shadow, time
        self._wanted: dict[int, Close] = {}  # of each position the close that asks for most
        self._is_by_level: dict[int, bool] = {}  # which comes again by the level that it came by
        self._left: dict[int, int] = {}  # what of it did not come about yet
        self._levels: dict[str, int] = {}  # requests for a level → position
        self._closes: dict[str, int] = {}
        self._unheld: set[int] = set()  # whose level the broker did not take
        self._refused_at: dict[int, int] = {}
        self._waits_since: float | None = None  # something is undone, and this life never asked again
        self._has_asked = False
        self._cut: dict[int, set[int]] = {}  # of each series those that had only a part closed at the last price, though it met their stop

    @property
    def _account(self) -> LiveAccount:
        return self._shadow.account

    def asked(self, request: Request) -> None:
        match request:
            case Close():
                self._closes[request.id] = request.position
                if request.quantity >= self._left.get(request.position, 0):
                    self._wanted[request.position], self._left[request.position] = request, request.quantity
                    self._is_by_level[request.position] = self._met_a_level(request)
            case Protect():
                self._levels[request.id] = request.position
            case _:
                pass

    def _met_a_level(self, close: Close) -> bool:
        """Of a level that is watched here. A part by a target takes the target away, and one by a rule does not."""
        number = self._account.ours(close.position)
        is_part = close.reason == "partial" and abs(int(self._row(number)["target"])) >= FAR
        return self._account.watched.watches(number) and (is_part or close.reason in BY_A_LEVEL)

    def _row(self, number: int) -> Any:
        return self._account.book.state.positions[self._account.book.position(number)]

    def learned(self, fact: facts.Fact) -> None:
        """After the account did."""
        match fact:
            case facts.TransactionSeen(transaction=done):
                if done.what in UNDOES:
                    self._undone(done.id)
                elif done.what is What.PROTECTED and done.id:
                    self._unheld.discard(done.position)
                elif done.what is What.CLOSED and done.position in self._left:
                    self._left[done.position] -= done.quantity
            case facts.RequestUnsettled():
                self._undone(fact.id)
            case facts.PriceSeen():
                self._no_level_is_passed(fact.series, fact.raw, fact.ask, fact.at)
            case facts.AskedAgain():
                self._waits_since, self._has_asked = None, True
            case _:
                pass
        self._forget_what_is_over()

    def _undone(self, name: str) -> None:
        if name in self._levels:
            self._unheld.add(self._levels[name])
        elif name in self._closes:
            self._refused_at[self._closes[name]] = self._account.at

    def _forget_what_is_over(self) -> None:
        held = {position for position in (*self._left, *self._unheld) if self._account.ours(position) >= 0}
        self._unheld &= held
        for position in [position for position, left in self._left.items() if left <= 0 or position not in held]:
            del self._left[position], self._wanted[position], self._is_by_level[position]

    def began(self) -> None:
        """Another life."""
        self._waits_since, self._has_asked = None, False

    # After each commit

    def look(self) -> None:
        account = self._account
        for position, left in self._left.items():
            self._goes_on(position, left)
        unkept = {number for number in account.watched.unkept if account.book.position(number) >= 0}
        assert unkept == {account.ours(position) for position in self._unheld}, "other levels are watched than the broker does not hold"
        asked = {life.request.position for _, life in account.lives.going() if isinstance(life.request, Protect)}
        lost = [position for position in self._unheld - asked if account.ours(position) not in account.undone.levels]
        assert not lost, f"the levels of {lost} are not asked again"
        if account.undone.is_empty or self._has_asked:  # later ones come less and less often
            self._waits_since = None
        elif self._waits_since is None:
            self._waits_since = self._time()

    def _goes_on(self, position: int, left: int) -> None:
        account, number, close = self._account, self._account.ours(position), self._wanted[position]
        row, steps = self._row(number), account.undone.closes.get(number, (0, 0))[0]
        is_known = account.lives.is_closing(position) or steps >= min(left, int(row["quantity"]))
        has_level = close.reason in BY_A_LEVEL or abs(int(row["target"])) < FAR
        assert is_known or (self._is_by_level[position] and has_level), f"{close} did not come about and is forgotten"

    def rested(self) -> None:
        waits = 0.0 if self._waits_since is None else self._time() - self._waits_since
        assert waits < SOON_S, f"what is undone waits for {waits} s and was never asked again"

    # Levels

    def _no_level_is_passed(self, s: int, bid: int, ask: int, at: int) -> None:
        passed = set(self._passed(self._account, s, bid, ask, at))
        cut = {position for position in passed if self._is_cut(position)}
        before, self._cut[s] = self._cut.get(s, set()), cut
        assert passed <= cut - before, f"positions {passed} are not closed at {bid} to {ask}"

    def _is_cut(self, position: int) -> bool:
        """By the target of an older one at the same price: its own stop is met at the next, as where the broker holds both."""
        row = self._row(self._account.ours(position))
        return bool(row["closing"] and row["closing_reason"] == PARTIAL)

    def priced(self, account: LiveAccount, s: int, market: "Market") -> None:
        """A price that came, and that nobody wrote down yet."""
        passed = list(self._passed(account, s, market.bid, market.ask, market.at))
        assert not passed, f"nobody takes note that {market.bid} to {market.ask} end positions {passed}"

    def _passed(self, account: LiveAccount, s: int, bid: int, ask: int, at: int) -> Iterator[int]:
        rows = [row for row in account.book.state.positions[: account.book.account["positions"][0]] if row["symbol"] == s]
        for row in rows:
            position = account.theirs(int(row["number"]))
            refused = self._refused_at.get(position)
            is_watched = not account.watched.holds_stops or position in self._unheld
            if is_watched and not (refused is not None and abs(at - refused) <= REST_US) and _is_met(row, bid, ask, rows):
                yield position


def _is_met(row: Any, bid: int, ask: int, rows: list[Any]) -> bool:
    """And it does not go. Of two parts of a symbol one comes after the other."""
    side, price = int(row["side"]), bid if row["side"] > 0 else ask
    if any(side * (price - int(row[name])) <= 0 for name in ("stop", "trail")):
        return bool(row["closing"] < row["quantity"])
    return side * (price - int(row["target"])) >= 0 and not any(each["closing"] for each in rows)
