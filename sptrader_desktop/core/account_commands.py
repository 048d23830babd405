"""What a person's word does to a live account: pauses, halts, re-armings, and what is to be cancelled and closed."""

from typing import Protocol

from sptrader_desktop.core.account_limits import AccountLimits, cancel_order
from sptrader_desktop.core.facts import Commanded
from sptrader_desktop.core.live_book import Book, number_in
from sptrader_desktop.core.records import EMERGENCY
from sptrader_desktop.core.risk_tree import WHOLE
from sptrader_desktop.core.tables import FREE

PAUSED = "paused"


class Obeying(Protocol):
    """The parts of an account that a person's word may change."""

    book: Book
    barred: dict[str, str]
    halted: str
    mismatch: str
    limits: AccountLimits

    def row_of(self, name: str) -> int: ...


def obey(account: Obeying, fact: Commanded) -> None:
    book, barred, scope = account.book, account.barred, fact.about or WHOLE
    match fact.what:
        case "pause":
            barred.setdefault(scope, f"{PAUSED} by {fact.by}")
        case "halt":
            account.halted = barred[WHOLE] = fact.about or f"stopped by {fact.by}"
        case "resume":
            if barred.get(scope, "").startswith(PAUSED):
                del barred[scope]
        case "rearm":
            _rearm(account, scope)
        case "cancel":
            cancel_order(book, account.row_of(fact.about))
        case "close":
            book.order_close(number_in(fact.about), EMERGENCY)
        case "flatten":
            for row in book.state.positions[: book.account["positions"][0]]:
                book.order_close(int(row["number"]), EMERGENCY)
            for order in book.state.pending["order"][: book.account["pending"][0]].tolist():
                cancel_order(book, order)


def _rearm(account: Obeying, scope: str) -> None:
    """A pause ends by resuming; what was latched only by this. Losses count from here."""
    account.limits.rearm(scope)
    account.barred.pop(scope, None)
    if scope == WHOLE:
        account.barred.clear()
        if account.mismatch:
            account.barred[WHOLE] = account.mismatch
        account.halted = ""
        row = account.book.account[0]
        account.limits.day_before += int(row["equity"]) - int(row["base"])
        if row["peak"] > 0:
            row["worst"] = max(float(row["worst"]), (int(row["peak"]) - min(int(row["trough"]), int(row["equity"]))) / int(row["peak"]))
        row["drawn_down"], row["lost_day"] = FREE, FREE
        row["peak"] = row["trough"] = row["base"] = row["equity"]
