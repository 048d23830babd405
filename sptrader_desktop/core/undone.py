"""What lessens risk, was asked of a broker and did not come about: it is wanted all the same, and asked again when the broker hears us."""

from dataclasses import dataclass, field
from typing import Protocol

from sptrader_desktop.core.broker_messages import Close, Protect
from sptrader_desktop.core.live_book import Book
from sptrader_desktop.core.order_lives import Life, OrderLives
from sptrader_desktop.core.records import EXIT_REASONS
from sptrader_desktop.core.watched_exits import WatchedExits


@dataclass(slots=True)
class Undone:
    """By our numbers of positions. Whatever ended one meanwhile ends what was wanted of it."""

    closes: dict[int, tuple[int, int]] = field(default_factory=dict)  # steps that were to be closed, and why
    levels: set[int] = field(default_factory=set)  # whose trailing level the broker does not have

    def want(self, number: int, steps: int, reason: int) -> None:
        """Of two closes that did not come about the larger one."""
        if steps >= self.closes.get(number, (0, 0))[0]:
            self.closes[number] = steps, reason

    @property
    def is_empty(self) -> bool:
        return not (self.closes or self.levels)

    def order(self, book: Book) -> list[tuple[int, int]]:
        """Mark what is to be closed; gives positions and the trailing levels to be moved."""
        closes, levels, self.closes, self.levels = self.closes, self.levels, {}, set()
        for number, (steps, reason) in closes.items():
            index = book.position(number)
            row = book.state.positions[max(index, 0)]
            if index >= 0 and not row["closing"]:
                book.order_close(number, reason)
                row["closing"] = min(steps, int(row["quantity"]))
            elif index >= 0 and steps > row["closing"]:  # once the part that is on its way has come
                self.closes[number] = steps, reason
        found = [(number, book.position(number)) for number in sorted(levels)]
        return [(number, int(book.state.positions["trail"][index])) for number, index in found if index >= 0]


class Wanting(Protocol):
    """The parts of an account that change where something does not come about."""

    book: Book
    symbols: tuple[str, ...]
    lives: OrderLives
    watched: WatchedExits
    undone: Undone
    at: int

    def ours(self, position: int) -> int: ...
    def alarm(self, text: str) -> None: ...


def will_not_be(account: Wanting, life: Life, why: str) -> None:
    """What lessens risk is wanted all the same, and asked again when the broker hears us."""
    if isinstance(life.request, Close):
        _reopen(account, life.request, life.left)
    if isinstance(life.request, Protect):
        _keep_here(account, life.request, why)


def _reopen(account: Wanting, request: Close, left: int) -> None:
    """The position is whole until another close of it comes. One by a level that is watched here comes by that level."""
    number, reason = account.ours(request.position), EXIT_REASONS.index(request.reason)
    index = account.book.position(number)
    if index < 0 or account.lives.is_closing(request.position):
        return
    row = account.book.state.positions[index]
    if row["closing"] >= left:  # more, or for another reason, was asked for meanwhile, and that did not come either, or waits for this
        left, reason = int(row["closing"]), int(row["closing_reason"])
    row["closing"] = 0
    if not account.watched.refused(account.book, number, reason, account.at):
        account.undone.want(number, left, reason)
        account.alarm(f"{request.id}, which closes position {number}, was not carried out: it is asked again")


def _keep_here(account: Wanting, request: Protect, why: str) -> None:
    """A level that the broker would not take is watched here, until it takes another."""
    index = account.book.position(account.ours(request.position))
    if index >= 0:
        row = account.book.state.positions[index]
        account.watched.unkept.add(int(row["number"]))
        account.undone.levels.add(int(row["number"]))
        said = f" ({why})" if why else ""
        account.alarm(
            f"{account.symbols[row['symbol']]}: the broker does not hold the new stop of position {int(row['number'])}{said}: "
            "it is watched here, on every price, and only while this computer works"
        )
