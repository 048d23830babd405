"""What indicators are, once more: straight from their definitions, one bar at a time in plain Python, sharing nothing with the library.

Prices come in as lists of floats; None is no value. Only for markets that keep moving: what a standing one yields is tested by itself.
"""

import itertools
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

Value = float | None
Values = list[Value]


@dataclass(frozen=True, slots=True)
class Bars:
    time: list[datetime]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]

    @property
    def typical(self) -> list[float]:
        return [(high + low + close) / 3 for high, low, close in zip(self.high, self.low, self.close, strict=True)]

    @property
    def true_range(self) -> Values:
        before: list[float | None] = [None, *self.close[:-1]]
        return [
            None if close is None else max(high - low, abs(high - close), abs(low - close))
            for high, low, close in zip(self.high, self.low, before, strict=True)
        ]


def windowed(values: Sequence[Value], period: int, answer: Callable[[list[float]], Value]) -> Values:
    found: Values = []
    for bar in range(len(values)):
        window = [value for value in values[max(0, bar - period + 1) : bar + 1] if value is not None]
        found.append(answer(window) if len(window) == period else None)
    return found


def each(answer: Callable[..., Value], *columns: Sequence[Value]) -> Values:
    return [None if None in row else answer(*row) for row in zip(*columns, strict=True)]


def recursive(values: Sequence[Value], period: int, weight: float) -> Values:
    found: Values = []
    seen: list[float] = []
    for value in values:
        if value is not None:
            seen.append(value)
        if value is None or len(seen) < period:
            found.append(None)
        elif len(seen) == period:
            found.append(sum(seen) / period)
        else:
            before = found[-1]
            assert before is not None
            found.append(weight * value + (1 - weight) * before)
    return found


def ema(values: Sequence[Value], period: int) -> Values:
    return recursive(values, period, 2 / (period + 1))


def wilder(values: Sequence[Value], period: int) -> Values:
    return recursive(values, period, 1 / period)


def sma(values: Sequence[Value], period: int) -> Values:
    return windowed(values, period, statistics.fmean)


def wma(values: Sequence[Value], period: int) -> Values:
    return windowed(values, period, lambda window: sum(n * value for n, value in enumerate(window, 1)) / sum(range(1, period + 1)))


def changes(values: Sequence[float], back: int = 1) -> Values:
    return [None if bar < back else values[bar] - values[bar - back] for bar in range(len(values))]


def delayed(values: Sequence[Value], by: int) -> Values:
    return [None if bar < by else values[bar - by] for bar in range(len(values))]


def hma(bars: Bars, period: int) -> list[Values]:
    quick = each(lambda half, whole: 2 * half - whole, wma(bars.close, period // 2), wma(bars.close, period))
    return [wma(quick, math.floor(math.sqrt(period)))]


def trima(bars: Bars, period: int) -> list[Values]:
    """Weights rise to the middle of the window and fall again: 1 2 3 2 1 or 1 2 3 3 2 1."""
    weights = [min(n, period + 1 - n) for n in range(1, period + 1)]
    return [windowed(bars.close, period, lambda window: sum(w * v for w, v in zip(weights, window, strict=True)) / sum(weights))]


def aroon(bars: Bars, period: int) -> list[Values]:
    def freshness(values: list[float], extreme: Callable[[list[float]], float]) -> Values:
        return windowed(values, period + 1, lambda window: 100 * (period - window[::-1].index(extreme(window))) / period)

    up, down = freshness(bars.high, max), freshness(bars.low, min)
    return [up, down, each(lambda a, b: a - b, up, down)]


def ichimoku(bars: Bars, tenkan_period: int, kijun_period: int, senkou_period: int, displacement: int) -> list[Values]:
    def middle(period: int) -> Values:
        return each(lambda a, b: (a + b) / 2, windowed(bars.high, period, max), windowed(bars.low, period, min))

    tenkan, kijun = middle(tenkan_period), middle(kijun_period)
    ahead = each(lambda a, b: (a + b) / 2, tenkan, kijun)
    return [tenkan, kijun, delayed(ahead, displacement), delayed(middle(senkou_period), displacement)]


def macd(bars: Bars, fast_period: int, slow_period: int, signal_period: int) -> list[Values]:
    line = each(lambda a, b: a - b, ema(bars.close, fast_period), ema(bars.close, slow_period))
    signal = ema(line, signal_period)
    return [line, signal, each(lambda a, b: a - b, line, signal)]


def ppo(bars: Bars, fast_period: int, slow_period: int) -> list[Values]:
    return [each(lambda a, b: 100 * (a - b) / b, ema(bars.close, fast_period), ema(bars.close, slow_period))]


def trix(bars: Bars, period: int) -> list[Values]:
    thrice = ema(ema(ema(bars.close, period), period), period)
    return [each(lambda now, before: 100 * (now / before - 1), thrice, delayed(thrice, 1))]


def rsi(bars: Bars, period: int) -> list[Values]:
    moves = changes(bars.close)
    rises, falls = (wilder([None if move is None else max(0.0, sign * move) for move in moves], period) for sign in (1, -1))
    return [each(lambda rise, fall: 100 - 100 / (1 + rise / fall), rises, falls)]


def stochastic_rsi(bars: Bars, period: int, stochastic_period: int, k_smooth: int, d_period: int) -> list[Values]:
    strength = rsi(bars, period)[0]
    raw = windowed(strength, stochastic_period, lambda window: 100 * (window[-1] - min(window)) / (max(window) - min(window)))
    k = sma(raw, k_smooth)
    return [k, sma(k, d_period)]


def cmo(bars: Bars, period: int) -> list[Values]:
    def answer(window: list[float]) -> float:
        rises, falls = sum(move for move in window if move > 0), -sum(move for move in window if move < 0)
        return 100 * (rises - falls) / (rises + falls)

    return [windowed(changes(bars.close), period, answer)]


def adx(bars: Bars, period: int) -> list[Values]:
    ups, downs = changes(bars.high), [None if move is None else -move for move in changes(bars.low)]
    plus = wilder(each(lambda up, down: up if up > down and up > 0 else 0.0, ups, downs), period)
    minus = wilder(each(lambda up, down: down if down > up and down > 0 else 0.0, ups, downs), period)
    wide = wilder(bars.true_range, period)
    plus_di, minus_di = (each(lambda move, ranged: 100 * move / ranged, moves, wide) for moves in (plus, minus))
    return [wilder(each(lambda a, b: 100 * abs(a - b) / (a + b), plus_di, minus_di), period), plus_di, minus_di]


def keltner(bars: Bars, period: int, atr_period: int, multiplier: float) -> list[Values]:
    middle, reach = ema(bars.close, period), wilder(bars.true_range, atr_period)
    upper, lower = (each(lambda at, far, side=side: at + side * multiplier * far, middle, reach) for side in (1, -1))
    return [upper, middle, lower]


def supertrend(bars: Bars, period: int, multiplier: float) -> list[Values]:
    reach = wilder(bars.true_range, period)
    lines: Values = []
    directions: Values = []
    upper, lower, direction = math.inf, -math.inf, 1
    for bar, far in enumerate(reach):
        if far is None:
            lines.append(None)
            directions.append(None)
            continue
        middle, before = (bars.high[bar] + bars.low[bar]) / 2, bars.close[bar - 1]
        basic_upper, basic_lower = middle + multiplier * far, middle - multiplier * far
        upper = basic_upper if basic_upper < upper or before > upper else upper
        lower = basic_lower if basic_lower > lower or before < lower else lower
        direction = 1 if bars.close[bar] > upper else -1 if bars.close[bar] < lower else direction
        lines.append(lower if direction == 1 else upper)
        directions.append(float(direction))
    return [lines, directions]


def bollinger(bars: Bars, period: int, deviations: float) -> list[Values]:
    middle, sigma = sma(bars.close, period), windowed(bars.close, period, statistics.pstdev)
    upper, lower = (each(lambda at, far, side=side: at + side * deviations * far, middle, sigma) for side in (1, -1))
    width = each(lambda top, bottom, at: (top - bottom) / at, upper, lower, middle)
    return [upper, middle, lower, width, each(lambda close, top, bottom: (close - bottom) / (top - bottom), bars.close, upper, lower)]


def historical_volatility(bars: Bars, period: int) -> list[Values]:
    returns: Values = [None, *(math.log(now / before) for before, now in zip(bars.close[:-1], bars.close[1:], strict=True))]
    return [windowed(returns, period, lambda window: 100 * statistics.stdev(window) * math.sqrt(252 * 24))]


def zscore(bars: Bars, period: int) -> list[Values]:
    return [windowed(bars.close, period, lambda window: (window[-1] - statistics.fmean(window)) / statistics.pstdev(window))]


def linear_regression(bars: Bars, period: int) -> list[Values]:
    def slope(window: list[float]) -> float:
        return statistics.linear_regression(range(period), window).slope

    def value(window: list[float]) -> float:
        found = statistics.linear_regression(range(period), window)
        return found.intercept + found.slope * (period - 1)

    def explained(window: list[float]) -> float:
        return statistics.correlation(range(period), window) ** 2

    return [windowed(bars.close, period, answer) for answer in (slope, value, explained)]


def rolling_correlation(bars: Bars, period: int) -> list[Values]:
    def answer(bar: int) -> Value:
        kept = slice(bar - period + 1, bar + 1)
        return None if bar < period - 1 else statistics.correlation(bars.close[kept], bars.volume[kept])

    return [[answer(bar) for bar in range(len(bars.close))]]


def percentile_rank(bars: Bars, period: int) -> list[Values]:
    return [windowed(bars.close, period + 1, lambda window: 100 * sum(value <= window[-1] for value in window[:-1]) / period)]


def _stands(bars: Bars) -> list[float]:
    rows = zip(bars.high, bars.low, bars.close, strict=True)
    return [((close - low) - (high - close)) / (high - low) if high > low else 0.0 for high, low, close in rows]


def obv(bars: Bars) -> list[Values]:
    found: Values = [0.0]
    for bar in range(1, len(bars.close)):
        move, before = bars.close[bar] - bars.close[bar - 1], found[-1]
        assert before is not None
        found.append(before + (bars.volume[bar] if move > 0 else -bars.volume[bar] if move < 0 else 0.0))
    return [found]


def accumulation_distribution(bars: Bars) -> list[Values]:
    flows = [stand * volume for stand, volume in zip(_stands(bars), bars.volume, strict=True)]
    return [[sum(flows[: bar + 1]) for bar in range(len(flows))]]


def chaikin_money_flow(bars: Bars, period: int) -> list[Values]:
    flows = [stand * volume for stand, volume in zip(_stands(bars), bars.volume, strict=True)]
    return [each(lambda flow, volume: flow / volume, windowed(flows, period, sum), windowed(bars.volume, period, sum))]


def mfi(bars: Bars, period: int) -> list[Values]:
    # Thirds of prices differ in their last bits where the sums are equal.
    moves = [None if move is None else round(move, 9) for move in changes(bars.typical)]
    flows = [price * volume for price, volume in zip(bars.typical, bars.volume, strict=True)]
    rising, falling = (
        windowed(each(lambda move, flow, side=side: flow if side * move > 0 else 0.0, moves, flows), period, sum) for side in (1, -1)
    )
    return [each(lambda up, down: 100 * up / (up + down), rising, falling)]


def trading_date(time: datetime) -> date:
    """The date in New York seven hours later; the weekend belongs to Monday."""
    day = (time.astimezone(ZoneInfo("America/New_York")).replace(tzinfo=None) + timedelta(hours=7)).date()
    return day + timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0))


def pivot_points(bars: Bars) -> list[Values]:
    days = [trading_date(time) for time in bars.time]
    levels: dict[date, list[float]] = {}
    known = sorted(set(days))
    for before, day in itertools.pairwise(known[1:]):
        own = [bar for bar, date_ in enumerate(days) if date_ == before]
        high, low, close = max(bars.high[bar] for bar in own), min(bars.low[bar] for bar in own), bars.close[own[-1]]
        pivot = (high + low + close) / 3
        levels[day] = [pivot, 2 * pivot - low, 2 * pivot - high, pivot + high - low, pivot - high + low]
    return [[levels[day][column] if day in levels else None for day in days] for column in range(5)]


def vwap(bars: Bars) -> list[Values]:
    days = [trading_date(time) for time in bars.time]
    found: Values = []
    for bar, day in enumerate(days):
        own = [other for other in range(bar + 1) if days[other] == day]
        volume = sum(bars.volume[other] for other in own)
        paid = sum(bars.volume[other] * bars.typical[other] for other in own) if day != days[0] and volume else 0.0
        found.append(paid / volume if day != days[0] and volume else None)
    return [found]
