"""Prices of fills: sides, slippage, levels and the tests of a bar against them. Scalars in, scalars out."""

from sptrader_desktop.core.arithmetic import muldiv, round_float
from sptrader_desktop.core.compiled import compiled
from sptrader_desktop.core.money import FRACTION_ONE
from sptrader_desktop.core.records import LIMIT, LONG, STOP_LOSS, TAKE_PROFIT, TRAILING_STOP
from sptrader_desktop.core.tables import ATR, DISTANCE, FAR, NO_LEVEL, PERCENTAGE

NO_EXIT, AMBIGUOUS = -1, -2


@compiled
def slipped(side: int, price: int, slippage: int) -> int:
    """Worse for whoever trades: buys pay more, sells get less."""
    return price + side * slippage


@compiled
def distance_level(direction: int, price: int, kind: int, value: int, distance: int) -> int:
    """`price` moved up (direction 1) or down (−1) by a percentage or by a distance in ticks; an absolute price is itself."""
    if kind == PERCENTAGE:
        return muldiv(price, FRACTION_ONE + direction * value, FRACTION_ONE)
    if kind == DISTANCE or kind == ATR:
        return price + direction * distance
    return value


@compiled
def distance_ticks(kind: int, value: int, multiple: float, atr: float) -> int:
    """Fixed at the deciding close for pips and ATR; other kinds have none."""
    if kind == ATR:
        return round_float(multiple * atr)
    return value if kind == DISTANCE else 0


@compiled
def protective_level(direction: int, price: int, kind: int, value: int, distance: int) -> int:
    if kind == NO_LEVEL:
        return direction * FAR
    return distance_level(direction, price, kind, value, distance)


@compiled
def tighter(side: int, stop: int, trail: int) -> int:
    return max(stop, trail) if side == LONG else min(stop, trail)


@compiled
def stop_reason(side: int, stop: int, trail: int) -> int:
    """The trailing level gets the name only when it is strictly tighter."""
    return TRAILING_STOP if side * (trail - stop) > 0 else STOP_LOSS


@compiled
def reaches_stop(side: int, stop: int, high: int, low: int) -> bool:
    return low <= stop if side == LONG else high >= stop


@compiled
def reaches_target(side: int, target: int, high: int, low: int) -> bool:
    return high >= target if side == LONG else low <= target


@compiled
def bar_exit(side: int, stop: int, target: int, open_: int, high: int, low: int) -> tuple[int, int]:
    """(STOP_LOSS, TAKE_PROFIT, AMBIGUOUS or NO_EXIT, price) for a position that saw the whole bar: gap first, then the level."""
    if side * (open_ - stop) <= 0:
        return STOP_LOSS, open_
    if side * (open_ - target) >= 0:
        return TAKE_PROFIT, open_
    stopped, met = reaches_stop(side, stop, high, low), reaches_target(side, target, high, low)
    if stopped and met:
        return AMBIGUOUS, 0
    if stopped:
        return STOP_LOSS, stop
    if met:
        return TAKE_PROFIT, target
    return NO_EXIT, 0


@compiled
def entry_bar_exit(side: int, stop: int, target: int, high: int, low: int, target_first: int) -> tuple[int, int]:
    """The bar in which a touch opened the position: the policy looks at one level only, and never fills outside the bar's range."""
    if target_first:
        if reaches_target(side, target, high, low):
            return TAKE_PROFIT, min(max(target, low), high)
    elif reaches_stop(side, stop, high, low):
        return STOP_LOSS, min(max(stop, low), high)
    return NO_EXIT, 0


@compiled
def touched(kind: int, side: int, level: int, high: int, low: int) -> bool:
    """Does a working entry's level lie in the entry side's range? A buy limit waits below, a buy stop above."""
    return low <= level if (kind == LIMIT) == (side == LONG) else high >= level
