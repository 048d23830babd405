"""What each figure of a run is called, what it means and how it is written: tiles, comparisons and exported reports read this one table.

Figures come from the metrics of a run or from the JSON result of a kept one; `metrics` in the guide defines the same names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

from sptrader_desktop.core.money import fixed
from sptrader_desktop.present.numbers import NONE, amount, duration, figure, share

if TYPE_CHECKING:
    from sptrader_desktop.core.metrics import Metrics

Figure = int | float | None


class Unit(Enum):
    MONEY = "money"
    SHARE = "share"
    RATIO = "ratio"
    COUNT = "count"
    HOURS = "hours"


@dataclass(frozen=True, slots=True)
class MetricWord:
    """`better` says which way is good: 1 up, −1 down, 0 neither. Signed figures show a plus."""

    path: str
    title: str
    unit: Unit
    meaning: str
    better: int = 0
    is_signed: bool = False
    is_paid: bool = False  # kept as what was paid, shown as what it took from you

    def text(self, value: Figure, currency: str = "") -> str:
        if value is None:
            return NONE
        match self.unit:
            case Unit.MONEY:
                units = -int(value) if self.is_paid else int(value)
                return f"{amount(units, signed=self.is_signed)} {currency}".rstrip()
            case Unit.SHARE:
                return share(value, signed=self.is_signed)
            case Unit.COUNT:
                return f"{int(value):,}"
            case Unit.HOURS:
                return duration(value)
        return figure(value, signed=self.is_signed)

    def difference(self, value: Figure, base: Figure, currency: str = "") -> str:
        """What `value` has more than `base`, in the figure's own unit; shares differ by points."""
        if value is None or base is None:
            return NONE
        more = value - base
        match self.unit:
            case Unit.MONEY:
                return f"{amount(-int(more) if self.is_paid else int(more), signed=True)} {currency}".rstrip()
            case Unit.SHARE:
                return f"{figure(100 * more, signed=True)} points"
            case Unit.COUNT:
                return f"{int(more):+,}" if more else "0"
            case Unit.HOURS:
                return f"{figure(more, signed=True, places=1)} h"
        return figure(more, signed=True)

    def tone(self, value: Figure) -> int:
        """1 where the figure speaks for the run, −1 where it speaks against it, by its sign alone."""
        if value is None or not self.is_signed or not value:
            return 0
        return -1 if (value < 0) != self.is_paid else 1


MONEY, SHARE, RATIO, COUNT, HOURS = Unit
METRICS: tuple[MetricWord, ...] = (
    MetricWord("total_pnl", "Net", MONEY, "Equity at the end less the capital, after all costs.", 1, True),
    MetricWord("total_return", "Return", SHARE, "Net as a share of the capital.", 1, True),
    MetricWord("drawdown.depth", "Largest drawdown", SHARE, "The greatest fall of equity from its highest value so far, bar by bar.", -1),
    MetricWord("daily.sharpe", "Sharpe (daily)", RATIO, "Mean over deviation of daily returns, for a year; no risk-free rate.", 1),
    MetricWord("trades.profit_factor", "Profit factor", RATIO, "What winning trades made over what losing trades lost.", 1),
    MetricWord("trades.win_rate", "Won", SHARE, "Trades with a net above zero over all trades.", 1),
    MetricWord("trades.total", "Trades", COUNT, "Closes of a position or of a part of it."),
    MetricWord("trades.expectancy", "Average trade", MONEY, "The mean net result of a trade.", 1, True),
    MetricWord("cagr", "Growth a year", SHARE, "Yearly growth by the calendar, in years of 365.25 days.", 1, True),
    MetricWord("daily.volatility", "Volatility", SHARE, "Deviation of daily returns, for a year.", -1),
    MetricWord("daily.sortino", "Sortino (daily)", RATIO, "Mean daily return over the deviation of losses alone, for a year.", 1),
    MetricWord("calmar", "Calmar", RATIO, "Growth a year over the largest drawdown of daily equity.", 1),
    MetricWord(
        "drawdown.longest_hours", "Longest under water", HOURS, "The longest time from a peak of equity until it was reached again.", -1
    ),
    MetricWord("exposure", "In the market", SHARE, "Bars that saw a position over all bars."),
    MetricWord("trades.average_win", "Average win", MONEY, "The mean of the trades that won.", 1, True),
    MetricWord("trades.average_loss", "Average loss", MONEY, "The mean of the trades that lost.", 1, True),
    MetricWord("trades.best", "Best trade", MONEY, "The highest net result.", 1, True),
    MetricWord("trades.worst", "Worst trade", MONEY, "The lowest net result.", 1, True),
    MetricWord("trades.payoff", "Payoff", RATIO, "Average win over average loss.", 1),
    MetricWord("trades.sqn", "System quality", RATIO, "Mean over deviation of net results, times the root of their number (SQN).", 1),
    MetricWord("trades.average_hours", "Average held", HOURS, "From the bar of entry to the bar of exit; 0 for a trade inside one bar."),
    MetricWord("trades.long", "Long trades", COUNT, "Trades that bought first."),
    MetricWord("trades.short", "Short trades", COUNT, "Trades that sold first."),
    MetricWord("trades.commission", "Commission", MONEY, "What was paid for fills.", -1, True, True),
    MetricWord("trades.financing", "Financing", MONEY, "Received less paid for positions held over the roll at 17:00 New York.", 1, True),
)
MAIN = 8  # so many of them stand first and large


def figure_of(metrics: "Metrics", path: str) -> Figure:
    value: Any = metrics
    for name in path.split("."):
        value = getattr(value, name)
    found: Figure = value
    return found


def kept_figure(metrics: Mapping[str, Any], path: str) -> Figure:
    """From the `metrics` of a JSON result, where money is a decimal text; None also where an older result lacks it."""
    value: Any = metrics
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        return fixed(Decimal(value))
    return value if isinstance(value, int | float) else None
