"""The tables of a report: by year and month, by session, and the trades at either end. Numbers stand to the right under their units."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sptrader_desktop.core.calendar import HOUR_US
from sptrader_desktop.core.metrics_trades import net_results
from sptrader_desktop.core.records import EXIT_REASONS, LONG
from sptrader_desktop.present.numbers import NONE, amount, clock, counted, duration, plain, price_unit, share

if TYPE_CHECKING:
    from sptrader_desktop.core.metrics_periods import Period
    from sptrader_desktop.core.results import Result

WIDTH = 96
TRADES_SHOWN = 5
MONTHS_SHOWN = 24

Cells = tuple[str, ...]


def table(head: Cells, rows: Sequence[Cells], left: int = 1) -> list[str]:
    """Columns as wide as what is in them; the first `left` of them stand to the left."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return ["  ".join(f"{cell:{'<' if i < left else '>'}{widths[i]}}" for i, cell in enumerate(row)).rstrip() for row in (head, *rows)]


def periods(result: "Result") -> list[str]:
    """Years where there are several, and their months; of a long run the months of the last two years."""
    measured, currency = result.metrics, result.request.terms.currency
    years = measured.by_year if len(measured.by_year) > 1 else ()
    months = measured.by_month[-MONTHS_SHOWN:]
    rows = [_period(item) for item in (*years, *months)]
    lines = table(("Period", f"Net {currency}", "Growth", "Trades", "Won"), rows)
    if left_out := len(measured.by_month) - len(months):
        lines.append(f"({counted(left_out, 'earlier month')} are in the JSON result)")
    return lines if rows else []


def _period(item: "Period") -> Cells:
    won = share(item.winning / item.trades, places=1) if item.trades else NONE
    return item.name, amount(item.pnl, signed=True), share(item.growth, signed=True), f"{item.trades:,}", won


def sessions(result: "Result") -> list[str]:
    rows = [
        (item.session, amount(item.pnl, signed=True), f"{item.trades:,}", share(item.win_rate, places=1))
        for item in result.metrics.by_session
    ]
    return table(("Session", f"Net {result.request.terms.currency}", "Trades", "Won"), rows)


def trade_list(result: "Result") -> list[str]:
    """The first and the last trades; few are shown whole. Several symbols are named, where one leaves room for how long each was held."""
    trades, numbers = result.outcome.trades, list(range(len(result.outcome.trades)))
    if len(trades) > 2 * TRADES_SHOWN:
        numbers = [*numbers[:TRADES_SHOWN], *numbers[-TRADES_SHOWN:]]
    which = "Symbol" if len(result.request.traded) > 1 else "Held"
    head = ("Trade", "Side", "Entered UTC", "Reason", which, "Quantity", "Entry", "Exit", f"Net {result.request.terms.currency}")
    lines = table(head, [_trade(result, number) for number in numbers], left=4)
    if more := len(trades) - len(numbers):
        lines.insert(TRADES_SHOWN + 1, f"…      {counted(more, 'more trade')}")
    if trades["ambiguous"][numbers].any():
        lines.append("?      ambiguous: stop and target lay in one bar, or the entry's own bar touched one")
    return lines


def _trade(result: "Result", number: int) -> Cells:
    row = result.outcome.trades[number]
    candles = result.request.traded[row["symbol"]]
    price = price_unit(candles.instrument).text
    return (
        f"{number + 1}{'?' if row['ambiguous'] else ''}",
        "long" if row["side"] == LONG else "short",
        clock(int(row["entry_time"])),
        EXIT_REASONS[row["reason"]],
        candles.symbol if len(result.request.traded) > 1 else _held(row),
        plain(int(row["quantity"]) * candles.instrument.step),
        price(int(row["entry_price"])),
        price(int(row["exit_price"])),
        amount(int(net_results(result.outcome.trades[number : number + 1])[0]), signed=True),
    )


def _held(row: Any) -> str:
    return "in its bar" if row["entry_bar"] == row["exit_bar"] else duration(int(row["exit_time"] - row["entry_time"]) / HOUR_US)
