"""The limits of risk of a live session as gauges: how much of each is used, what is left in the account's money, and which are latched."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sptrader_desktop.core.money import fixed
from sptrader_desktop.present.numbers import amount

State = Mapping[str, Any]
GLOBAL = "global"
NEAR, AT = 0.7, 0.9  # of a limit
TITLES = {
    "daily loss": ("Loss today", "Against the value at 17:00 New York, or at the last re-arming; at the limit nothing is entered any more"),
    "drawdown": ("Drawdown", "Under the highest close so far; at the limit nothing is entered any more"),
    "exposure": ("Exposure", "What is open and what waits, in the account's money, with orders of which nobody knows what became"),
    "margin": ("Margin", "What the broker holds back for what is open and what waits"),
    "positions": ("Open positions", "With orders that would open one"),
}


@dataclass(frozen=True, slots=True)
class Gauge:
    """`fraction` of the limit is used; without a limit there is none. `tone` repeats what the words say."""

    key: str
    scope: str  # a symbol, or nothing for all of the account
    title: str
    tip: str
    fraction: float | None
    used: str
    left: str
    is_latched: bool
    tone: str

    @property
    def words(self) -> str:
        of = f"{self.scope} " if self.scope else ""
        return f"{of}{self.title}: {self.used}, {self.left}{', latched until a person re-arms' if self.is_latched else ''}"


def gauges(state: State) -> list[Gauge]:
    """Those of the account first."""
    found = [_gauge(told, state["account"]["currency"]) for told in state["risk"]]
    return sorted(found, key=lambda gauge: gauge.scope)


def _gauge(told: Mapping[str, Any], currency: str) -> Gauge:
    scope = told.get("scope", GLOBAL)
    title, tip = TITLES.get(told["name"], (str(told["name"]).capitalize(), ""))
    unit = f" {currency}" if told["unit"] == "money" else ""
    used, limit, left = (_figure(told[key], told["unit"]) for key in ("used", "limit", "headroom"))
    is_latched = bool(told["latched"])
    fraction = _fraction(told)
    return Gauge(
        f"{scope} {told['name']}",
        "" if scope == GLOBAL else scope,
        title,
        tip,
        fraction,
        f"{used} of {limit}{unit}" if limit else f"{used}{unit}",
        f"{left}{unit} left" if limit else "no limit",
        is_latched,
        "danger" if is_latched or (fraction or 0.0) >= AT else "warning" if (fraction or 0.0) >= NEAR else "",
    )


def _fraction(told: Mapping[str, Any]) -> float | None:
    if told["limit"] is None:
        return None
    limit = Decimal(told["limit"])
    return float(min(Decimal(1), Decimal(told["used"]) / limit)) if limit > 0 else 1.0


def _figure(text: str | None, unit: str) -> str:
    return "" if text is None else amount(fixed(Decimal(text))) if unit == "money" else text


def is_latched(state: State) -> bool:
    return any(told["latched"] for told in state["risk"])
