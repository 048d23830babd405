"""Charts that stand open as tabs: of which candles, in which timeframe, with which indicators; so that the next start opens them again."""

from dataclasses import dataclass
from typing import Any

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.chart_indicators import ChartIndicator, indicator_read


@dataclass(frozen=True, slots=True)
class ChartTab:
    """`dataset` is the key of its candles in the navigator, `side` which of them; without a timeframe it is theirs."""

    dataset: str
    timeframe: str = ""
    is_linked: bool = True
    indicators: tuple[ChartIndicator, ...] = ()
    side: str = ""

    def as_json(self) -> dict[str, Any]:
        indicators = [one.as_json() for one in self.indicators]
        of_which = {"dataset": self.dataset, "side": self.side, "timeframe": self.timeframe}
        return {**of_which, "linked": self.is_linked, "indicators": indicators}


ChartTabs = tuple[ChartTab, ...]


def tabs_written(tabs: ChartTabs) -> Any:
    return [tab.as_json() for tab in tabs]


def tabs_read(held: Any) -> ChartTabs:
    return tuple(map(_read, held))


def _read(held: Any) -> ChartTab:
    match held:
        case {
            "dataset": str(dataset),
            "side": str(side),
            "timeframe": str(timeframe),
            "linked": bool(is_linked),
            "indicators": list(indicators),
        }:
            return ChartTab(dataset, timeframe, is_linked, tuple(map(indicator_read, indicators)), side)
    raise DataError(f"{str(held)[:80]} is no chart")
