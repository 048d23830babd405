"""What the broker holds beside what the account believes: where they differ, in words, and how the broker's truth is taken over.

Both must have come to the same transaction. Taking over fills nothing: what a position won or lost unseen shows in the cash alone.
"""

from collections.abc import Mapping
from dataclasses import replace

from sptrader_desktop.core.broker_messages import Cancel, Close, HeldPosition, Place, Request, Snapshot, Transaction, What, WorkingOrder
from sptrader_desktop.core.live_account import LiveAccount
from sptrader_desktop.core.orders import OrderState
from sptrader_desktop.core.tables import FAR

AT_WORK = frozenset({OrderState.OPEN, OrderState.PARTIALLY_FILLED, OrderState.CANCEL_PENDING})
_LEVELS = ("stop", "target", "trail")


def differences(account: LiveAccount, theirs: Snapshot) -> list[str]:
    """None where the books agree. Orders of others are no matter until they fill, and a trailing level may be ahead of the broker's."""
    cash = int(account.book.account["cash"][0])
    found = [f"the broker holds {theirs.cash} of cash and this account {cash} (1e-8)"] if theirs.cash != cash else []
    ours = held(account)
    for item in theirs.positions:
        mine = ours.pop(item.position, None)
        if mine is None:
            found.append(f"the broker holds position {item.position} ({_shown(item)}), and this account does not")
        elif _compared(account, mine) != _compared(account, item):
            found.append(f"position {item.position} is {_shown(item)} at the broker, and {_shown(mine)} here")
    found += [f"this account holds position {number} ({_shown(item)}), and the broker does not" for number, item in ours.items()]
    return found + _other_orders(account, theirs)


def _compared(account: LiveAccount, item: HeldPosition) -> HeldPosition:
    """Levels that are watched here are no matter of the broker's."""
    is_watched = account.watched.watches(account.ours(item.position))
    return replace(item, trail=None, stop=None, target=None) if is_watched else replace(item, trail=None)


def _other_orders(account: LiveAccount, theirs: Snapshot) -> list[str]:
    ours, unknown, found = working(account), set(account.lives.unknown()), list[str]()
    for order in theirs.orders:
        mine = ours.pop(order.id, None)
        is_known = order.id in unknown | account.foreign or account.lives.is_cancelling(order.id)
        if mine is None and not is_known and account.ids.are_like(order.id):  # of others its fill is told, and bars the symbol
            found.append(f"order {order.id} works at the broker, and not here")
        elif mine is not None and mine != order:
            found.append(f"of order {order.id} {order.quantity} steps are left at the broker, and {mine.quantity} here")
    return found + [f"order {name} works here, and not at the broker" for name in ours]


def held(account: LiveAccount) -> dict[int, HeldPosition]:
    """By the broker's numbers."""
    found: dict[int, HeldPosition] = {}
    for row in account.book.state.positions[: account.book.account["positions"][0]]:
        number, symbol, side, quantity, price = (int(row[name]) for name in ("number", "symbol", "side", "quantity", "entry_price"))
        levels = [None if abs(int(row[name])) >= FAR else int(row[name]) for name in _LEVELS]
        theirs = account.theirs(number)
        found[theirs] = HeldPosition(theirs, account.symbols[symbol], side, quantity, price, *levels)
    return found


def working(account: LiveAccount) -> dict[str, WorkingOrder]:
    found: dict[str, WorkingOrder] = {}
    for name, life in account.lives.going():
        asked = life.request
        if isinstance(asked, Place) and life.state in AT_WORK:
            found[name] = WorkingOrder(name, asked.symbol, asked.side, asked.kind, life.left, asked.level)
    return found


def take_over(account: LiveAccount, theirs: Snapshot) -> list[Request]:
    """What is asked of the broker then: orders of ours that nobody waits for any more are not left at work, those of others are let be.
    Entries stay barred until the re-arm."""
    found = {item.position: item for item in theirs.positions}
    for number, mine in held(account).items():
        if number not in found or _named(mine) != _named(found[number]):
            account.drop(number)
    orders = {order.id for order in theirs.orders}
    for name in [name for name in working(account) if name not in orders] + _closes_of_nothing(account, found):
        account.give_up(Transaction(theirs.n, What.CANCELLED, name, account.at, reason="the broker does not know it", cash=theirs.cash))
    ours = held(account)
    for item in theirs.positions:
        if item.position not in ours:
            told = Transaction(theirs.n, What.FILLED, "", account.at, item.symbol, item.position, cash=theirs.cash)
            account.adopt(replace(told, side=item.side, quantity=item.quantity, price=item.price))
    _take_figures(account, found)
    account.book.account["cash"] = theirs.cash
    account.mismatch = ""
    known = {*working(account), *account.lives.unknown()}
    strange = [order.id for order in theirs.orders if order.id not in known]
    account.foreign = {name for name in strange if not account.ids.gave(name)}
    return [Cancel(account.next_id(), name) for name in strange if name not in account.foreign]


def _named(item: HeldPosition) -> tuple[str, int, int]:
    return item.symbol, item.side, item.price


def _closes_of_nothing(account: LiveAccount, found: Mapping[int, HeldPosition]) -> list[str]:
    going = [(name, life.request) for name, life in account.lives.going() if life.state in AT_WORK]
    return [name for name, request in going if isinstance(request, Close) and request.position not in found]


def _take_figures(account: LiveAccount, found: Mapping[int, HeldPosition]) -> None:
    for row in account.book.state.positions[: account.book.account["positions"][0]]:
        item = found[account.theirs(int(row["number"]))]
        row["quantity"], row["closing"] = item.quantity, min(int(row["closing"]), item.quantity)
        if account.watched.watches(int(row["number"])):
            continue
        for name, far in (("stop", -FAR), ("target", FAR), ("trail", -FAR)):
            level = getattr(item, name)
            row[name] = item.side * far if level is None else level


def _shown(item: HeldPosition) -> str:
    side = "long" if item.side > 0 else "short"
    return f"{item.symbol} {side}, {item.quantity} steps at {item.price} ticks, stop {item.stop}, target {item.target}"
