"""Where a run's money was made and lost: by hour, weekday and session of entry, by size of result, by month. Every group adds up."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.calendar import DAY_US, HOUR_US, SESSION_NAMES, session_of, weekday
from sptrader_desktop.core.metrics_trades import exact_sum, net_results
from sptrader_desktop.core.money import MONEY_ONE
from sptrader_desktop.present.clocks import MONTHS, WEEKDAYS
from sptrader_desktop.present.numbers import amount, counted, share
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.present.zone_clock import wall_times

if TYPE_CHECKING:
    from sptrader_desktop.core.metrics_periods import Period
    from sptrader_desktop.core.results import Result

BUCKETS = 25  # at most so many columns in a distribution
STEPS = (1, 2, 5)


class Group(NamedTuple):
    """`pnl` in 1e-8 of the account currency."""

    label: str
    pnl: int
    trades: int
    winning: int

    def text(self, currency: str) -> str:
        won = f", {share(self.winning / self.trades, places=0)} won" if self.trades else ""
        return f"{self.label}: {amount(self.pnl, signed=True)} {currency}, {counted(self.trades, 'trade')}{won}"


class Bucket(NamedTuple):
    """Results in [low, high), in 1e-8 of the account currency."""

    low: int
    high: int
    trades: int
    pnl: int

    def text(self, currency: str) -> str:
        ends = f"{amount(self.low, signed=True)} to {amount(self.high, signed=True)} {currency}"
        return f"{ends}: {counted(self.trades, 'trade')}, together {amount(self.pnl, signed=True)} {currency}"


def by_hour(result: "Result", zone: Zone) -> tuple[Group, ...]:
    hours = wall_times(result.outcome.trades["entry_time"], zone) // HOUR_US % 24
    return _groups(result, hours, [f"{hour:02d}" for hour in range(24)])


def by_weekday(result: "Result", zone: Zone) -> tuple[Group, ...]:
    """Saturday and Sunday stand there only when something was traded on them."""
    days = weekday(wall_times(result.outcome.trades["entry_time"], zone) // DAY_US)
    found = _groups(result, days, WEEKDAYS)
    return tuple(group for place, group in enumerate(found) if place < 5 or group.trades)


def by_session(result: "Result") -> tuple[Group, ...]:
    return _groups(result, session_of(result.outcome.trades["entry_time"]), SESSION_NAMES)


def _groups(result: "Result", places: NDArray[np.int64], labels: Sequence[str]) -> tuple[Group, ...]:
    net = net_results(result.outcome.trades)
    parts = [net[places == place] for place in range(len(labels))]
    return tuple(Group(label, exact_sum(part), len(part), int((part > 0).sum())) for label, part in zip(labels, parts, strict=True))


def distribution(result: "Result") -> tuple[Bucket, ...]:
    """Equally wide, zero being an edge, so that none holds wins and losses; a trade that made nothing is in the one that begins at 0."""
    net = net_results(result.outcome.trades)
    if not len(net):
        return ()
    low, high = min(int(net.min()), 0), max(int(net.max()), 0)
    step = _step(max(high - low, 1))
    first, last = low // step, high // step
    places = net // step - first
    counts = np.bincount(places, minlength=last - first + 1)
    sums = [exact_sum(net[places == place]) for place in range(last - first + 1)]
    return tuple(
        Bucket((first + place) * step, (first + place + 1) * step, count, pnl)
        for place, (count, pnl) in enumerate(zip(counts.tolist(), sums, strict=True))
    )


def _step(span: int) -> int:
    """A round amount, not below a hundredth, that cuts the span into few enough."""
    step, place = MONEY_ONE // 100, 0
    while span // step + 2 > BUCKETS:
        place += 1
        step = MONEY_ONE // 100 * STEPS[place % 3] * 10 ** (place // 3)
    return step


class MonthCell(NamedTuple):
    """`growth` is None where equity had no base to grow from, and where there was no such month."""

    label: str
    pnl: int
    growth: float | None
    trades: int

    def text(self, currency: str) -> str:
        return (
            f"{self.label}: {share(self.growth, signed=True)}, {amount(self.pnl, signed=True)} {currency}, {counted(self.trades, 'trade')}"
        )


class YearRow(NamedTuple):
    year: str
    months: tuple[MonthCell | None, ...]
    total: MonthCell


def calendar_of(years: "Sequence[Period]", months: "Sequence[Period]") -> tuple[YearRow, ...]:
    by_name = {month.name: _cell(month, f"{MONTHS[int(month.name[5:]) - 1]} {month.name[:4]}") for month in months}
    return tuple(
        YearRow(year.name, tuple(by_name.get(f"{year.name}-{month:02d}") for month in range(1, 13)), _cell(year, year.name))
        for year in years
    )


def _cell(period: "Period", label: str) -> MonthCell:
    return MonthCell(label, period.pnl, period.growth, period.trades)
