"""What each signal of the library says it finds, once more: bar by bar, in plain Python, from the words of its metadata.

A rule gets a `Bar` and answers the events there with their strengths, before these are cut to 0..1.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import isnan, nan
from typing import Any
from zoneinfo import ZoneInfo

Events = dict[str, float]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar and all before it: `bar("close", 1)` is the close before, `bar("bands.upper")` an output of what is required as bands."""

    columns: Mapping[str, list[float]]
    params: Mapping[str, Any]
    opened: datetime
    length: timedelta
    at: int

    def __call__(self, name: str, ago: int = 0) -> float:
        return self.columns[name][self.at - ago] if self.at >= ago else nan

    def last(self, name: str, count: int) -> list[float]:
        return [self(name, ago) for ago in range(count)]

    def crosses(self, first: str, second: str | float) -> int:
        """1: came above, -1: came below, on this bar."""
        a, b = self(first), self(second) if isinstance(second, str) else second
        c, d = self(first, 1), self(second, 1) if isinstance(second, str) else second
        return 1 if c <= d and a > b else -1 if c >= d and a < b else 0


def by_side(side: int, up: str, down: str, strength: float) -> Events:
    return {up if side > 0 else down: strength} if side else {}


def averages_cross(bar: Bar, fast: str, slow: str, up: str, down: str) -> Events:
    return by_side(bar.crosses(fast, slow), up, down, abs(bar(fast) - bar(slow)) / bar(slow) * 1000)


def comes_back(bar: Bar, name: str, low: float, high: float, depth: Callable[[float, int], float]) -> Events:
    """Rises above `low` or falls below `high`; `depth` of the value before, and the side it turns to."""
    side = 1 if bar.crosses(name, low) > 0 else -1 if bar.crosses(name, high) < 0 else 0
    return by_side(side, "bullish_reversal", "bearish_reversal", depth(bar(name, 1), side))


def leaves_oscillator_zone(bar: Bar, name: str) -> Events:
    low, high = bar.params["oversold"], bar.params["overbought"]
    return comes_back(bar, name, low, high, lambda before, side: (low - before) / low if side > 0 else (before - high) / (100 - high))


def hull_turn(bar: Bar) -> Events:
    now, before = bar("hma") - bar("hma", 1), bar("hma", 1) - bar("hma", 2)
    side = 1 if before <= 0 < now else -1 if before >= 0 > now else 0
    return by_side(side, "turns_up", "turns_down", abs(now) / bar("hma") / 0.0002)


def average_pullback(bar: Bar) -> Events:
    slope, over = bar("trima") - bar("trima", 1), bar("wma") - bar("trima")
    reach = bar("high") - bar("low")
    if slope > 0 and over > 0 and bar("low") <= bar("wma") < bar("close"):
        return {"buy_pullback": (bar("close") - bar("wma")) / reach}
    if slope < 0 and over < 0 and bar("high") >= bar("wma") > bar("close"):
        return {"sell_pullback": (bar("wma") - bar("close")) / reach}
    return {}


def adx_trend(bar: Bar) -> Events:
    adx, plus, minus = bar("adx.adx"), bar("adx.plus_di"), bar("adx.minus_di")
    if adx < bar.params["threshold"]:
        return {"range": adx / 50}
    return by_side((plus > minus) - (plus < minus), "uptrend", "downtrend", adx / 50)


def flips(bar: Bar, line: str, direction: str) -> Events:
    room = abs(bar("close") - bar(line)) / bar("close") * 100
    return by_side(bar.crosses(direction, 0.0), "flip_up", "flip_down", room)


def ichimoku_breakout(bar: Bar) -> Events:
    spans = [(bar("ichimoku.senkou_a", ago), bar("ichimoku.senkou_b", ago)) for ago in (0, 1)]
    (now, before), lines = spans, (bar("ichimoku.tenkan"), bar("ichimoku.kijun"))
    if any(map(isnan, before)):
        return {}
    if bar("close") > max(now) and bar("close", 1) <= max(before):
        return {"breakout_up": 1.0 if lines[0] > lines[1] else 0.5}
    if bar("close") < min(now) and bar("close", 1) >= min(before):
        return {"breakout_down": 1.0 if lines[0] < lines[1] else 0.5}
    return {}


def daily_pivot_bounce(bar: Bar) -> Events:
    levels = [bar(f"pivots.{name}") for name in ("pivot", "r1", "s1", "r2", "s2")]
    body = sorted((bar("open"), bar("close")))
    held, refused = any(bar("low") <= level < body[0] for level in levels), any(body[1] < level <= bar("high") for level in levels)
    if held == refused:
        return {}
    reach = bar("high") - bar("low")
    return {"bullish_bounce": (body[0] - bar("low")) / reach} if held else {"bearish_bounce": (bar("high") - body[1]) / reach}


def stochastic_crossover(bar: Bar) -> Events:
    side = bar.crosses("stochastic.k", "stochastic.d")
    return by_side(side, "bullish_cross", "bearish_cross", side * (50 - bar("stochastic.d")) / 50)


def oscillator_extremes(bar: Bar) -> Events:
    zone, found = bar.params["zone"], (bar("williams_r") + 100, bar("stochastic_rsi.k"))
    if max(found) < zone:
        return {"oversold": 1 - max(found) / zone}
    return {"overbought": 1 - (100 - min(found)) / zone} if min(found) > 100 - zone else {}


def momentum_vote(bar: Bar) -> Events:
    values = [bar(name) for name in ("momentum", "roc", "cmo", "trix", "ppo.ppo" if "ppo.ppo" in bar.columns else "ppo")]
    votes = {"bullish": sum(value > 0 for value in values), "bearish": sum(value < 0 for value in values)}
    return {side: count / 5 for side, count in votes.items() if count >= bar.params["votes"]}


def volatility_filter(bar: Bar) -> Events:
    values = [round(value, 5) for value in bar.last("natr", bar.params["lookback"])]
    if any(map(isnan, values)):
        return {}
    # Equal ones share the middle of their ranks.
    rank = (sum(value < values[0] for value in values) + (values.count(values[0]) + 1) / 2) / len(values)
    return {"quiet" if rank < bar.params["quiet"] else "volatile" if rank > bar.params["volatile"] else "normal": rank}


def regime(bar: Bar) -> Events:
    values = [round(value, 5) for value in bar.last("natr", bar.params["lookback"])]
    closes = [bar("close", ago) for ago in range(bar.params["period"] + 1)]
    if any(map(isnan, values + closes)):
        return {}
    whole = [round(close * 1e6) for close in closes]
    way = sum(abs(new - old) for new, old in pairwise(whole))
    if not way:
        return {}
    rank = (sum(value < values[0] for value in values) + (values.count(values[0]) + 1) / 2) / len(values)
    efficiency = abs(whole[0] - whole[-1]) / way
    if rank > bar.params["volatile"]:
        return {"volatile": efficiency}
    return {"trend" if efficiency >= bar.params["direct"] else "range": efficiency}


def range_expansion(bar: Bar) -> Events:
    reach, before, multiple = bar("true_range"), bar("atr", 1), bar.params["multiple"]
    if not reach >= multiple * before or bar("high") == bar("low"):
        return {}
    place = (bar("close") - bar("low")) / (bar("high") - bar("low"))
    strength = reach / before / multiple - 1
    return {"breakout_up": strength} if place > 0.75 else {"breakout_down": strength} if place < 0.25 else {}


def beyond(bar: Bar, ago: int) -> float:
    middle = bar("bands.middle", ago)
    half = bar("bands.upper", ago) - middle
    return (abs(bar("close", ago) - middle) - half) / half * 2 if half else nan


def bollinger_breakout(bar: Bar) -> Events:
    side = 1 if bar.crosses("close", "bands.upper") > 0 else -1 if bar.crosses("close", "bands.lower") < 0 else 0
    return by_side(side, "breakout_up", "breakout_down", beyond(bar, 0))


def bollinger_reversal(bar: Bar) -> Events:
    side = 1 if bar.crosses("close", "bands.lower") > 0 else -1 if bar.crosses("close", "bands.upper") < 0 else 0
    return by_side(side, "bullish_reversal", "bearish_reversal", beyond(bar, 1))


def bollinger_keltner_squeeze(bar: Bar) -> Events:
    def is_squeezed(ago: int) -> bool:
        return bar("bollinger.upper", ago) < bar("keltner.upper", ago) and bar("bollinger.lower", ago) > bar("keltner.lower", ago)

    period = bar.params["period"]
    if any(map(isnan, (*bar.last("keltner.upper", period), *bar.last("bollinger.upper", period)))):
        return {}
    share = sum(is_squeezed(ago) for ago in range(period)) / period
    if is_squeezed(0):
        return {"squeeze": share}
    over = bar("close") - bar("bollinger.middle")
    return by_side((over > 0) - (over < 0), "released_up", "released_down", share) if is_squeezed(1) else {}


def donchian_breakout(bar: Bar) -> Events:
    found = {}
    for period, edges in (("entry_period", ("breakout_up", "breakout_down")), ("exit_period", ("exit_short", "exit_long"))):
        (highs, lows), (old_highs, old_lows) = (
            (bar.last("high", bar.params[period] + 1 + ago)[1 + ago :], bar.last("low", bar.params[period] + 1 + ago)[1 + ago :])
            for ago in (0, 1)
        )
        if isnan(old_highs[-1]):
            continue
        if bar("close") > max(highs) and bar("close", 1) <= max(old_highs):
            found[edges[0]] = 0.0
        if bar("close") < min(lows) and bar("close", 1) >= min(old_lows):
            found[edges[1]] = 0.0
    upper, lower = bar("entry.upper", 1), bar("entry.lower", 1)
    known = upper > lower and not isnan(bar("exit.upper", 1))
    return {kind: abs(bar("close") - (upper + lower) / 2) / (upper - lower) for kind in found} if known else {}


def vwap_reversion(bar: Bar) -> Events:
    if not bar("deviation") > 0 or not bar("deviation", 1) > 0 or new_york_day(bar.opened) != new_york_day(before(bar)):
        return {}
    limit = bar.params["deviations"]
    now, last = ((bar("close", ago) - bar("vwap", ago)) / bar("deviation", ago) for ago in (0, 1))
    side = 1 if last <= -limit < now else -1 if last >= limit > now else 0
    return by_side(side, "bullish_reversal", "bearish_reversal", abs(last) / limit - 1)


def before(bar: Bar) -> datetime:
    return datetime.fromtimestamp(bar("stamp", 1), ZoneInfo("UTC"))


def new_york_day(at: datetime) -> tuple[int, ...]:
    """The date on the wall in New York seven hours later; the weekend is Monday's."""
    day = (at.astimezone(ZoneInfo("America/New_York")).replace(tzinfo=None) + timedelta(hours=7)).date()
    day += timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)
    return day.year, day.month, day.day, day.weekday()


def volume_divergence(bar: Bar) -> Events:
    closes = bar.last("close", bar.params["period"])
    places = []
    for name in ("obv", "accumulation"):
        line = bar.last(name, bar.params["period"])
        if max(line) == min(line) or isnan(line[-1]):
            return {}
        places.append((line[0] - min(line)) / (max(line) - min(line)))
    if max(closes) == min(closes):
        return {}
    if closes[0] == min(closes) and min(places) > 1e-9:
        return {"bullish_divergence": min(places)}
    return {"bearish_divergence": 1 - max(places)} if closes[0] == max(closes) and max(places) < 1 - 1e-9 else {}


def regression_trend(bar: Bar) -> Events:
    slope, fit = bar("line.slope"), bar("line.r2")
    return by_side((slope > 0) - (slope < 0), "uptrend", "downtrend", fit) if fit >= bar.params["fit"] else {}


def volume_backed_breakout(bar: Bar) -> Events:
    outer, least, correlation = bar.params["outer"], bar.params["correlation"], bar("correlation")
    if bar.crosses("rank", 100 - outer) > 0 and correlation > least:
        return {"breakout_up": abs(correlation)}
    return {"breakout_down": abs(correlation)} if bar.crosses("rank", outer) < 0 and correlation < -least else {}


def candle_reversal(bar: Bar) -> Events:
    opens, high, low, close = (bar(name) for name in ("open", "high", "low", "close"))
    last_open, last_close = bar("open", 1), bar("close", 1)
    if high == low:
        return {}
    under, over = (min(opens, close) - low) / (high - low), (high - max(opens, close)) / (high - low)
    up = [
        ("bullish_pin_bar", under >= bar.params["wick"]),
        ("bullish_engulfing", last_close < last_open and opens <= last_close and close >= last_open),
    ]
    down = [
        ("bearish_pin_bar", over >= bar.params["wick"]),
        ("bearish_engulfing", last_close > last_open and opens >= last_close and close <= last_open),
    ]
    is_up = any(holds for _, holds in up)
    strength = (close - low if is_up else high - close) / (high - low)
    return {kind: strength for kind, holds in up + down if holds}


def inside_bar_breakout(bar: Bar) -> Events:
    def reach(ago: int) -> float:
        return bar("high", ago) - bar("low", ago)

    def is_inside(ago: int) -> bool:
        within = bar("high", ago) <= bar("high", ago + 1) and bar("low", ago) >= bar("low", ago + 1)
        return within and (bar("high", ago), bar("low", ago)) != (bar("high", ago + 1), bar("low", ago + 1))

    if is_inside(1) and not bar("low", 2) <= bar("close") <= bar("high", 2):
        return {"breakout_up" if bar("close") > bar("high", 2) else "breakout_down": 1 - reach(1) / reach(2)}
    return {"inside_bar": 1 - reach(0) / reach(1)} if is_inside(0) else {}


def session_filter(bar: Bar) -> Events:
    hours = {"tokyo": ("Asia/Tokyo", 9, 18), "london": ("Europe/London", 8, 17), "new_york": ("America/New_York", 8, 17)}
    found = []
    for city, (zone, opens, closes) in hours.items():
        local = (bar.opened + bar.length).astimezone(ZoneInfo(zone))
        if opens <= local.hour < closes and local.isoweekday() <= 5:
            found.append(city)
    found += ["london_new_york"] if {"london", "new_york"} <= set(found) else []
    return dict.fromkeys(found or ["all_shut"], 1.0)


def weekday_filter(bar: Bar) -> Events:
    names = ("monday", "tuesday", "wednesday", "thursday", "friday")
    return {names[new_york_day(bar.opened + bar.length)[3]]: 1.0}


def higher_timeframe_trend(bar: Bar) -> Events:
    """A longer bar of some hours is over when the candle that ends it, or a later one, is."""
    period, seconds = bar.params["period"], 3600 * int(bar.params["timeframe"].removesuffix("h"))
    closes: list[float] = []
    now, ago, seen = int((bar.opened + bar.length).timestamp()) // seconds, 0, None
    while len(closes) < period and not isnan(bar("stamp", ago)):
        bucket = int(bar("stamp", ago)) // seconds
        if bucket < now and bucket != seen:
            seen = bucket
            closes.append(bar("close", ago))
        ago += 1
    if len(closes) < period:
        return {}
    mean = sum(closes) / period
    return by_side((closes[0] > mean) - (closes[0] < mean), "uptrend", "downtrend", abs(closes[0] - mean) / mean * 100)


RULES: dict[str, Callable[[Bar], Events]] = {
    "ma_crossover": lambda bar: averages_cross(bar, "ma_fast", "ma_slow", "golden_cross", "death_cross"),
    "ema_crossover": lambda bar: averages_cross(bar, "ema_fast", "ema_slow", "golden_cross", "death_cross"),
    "low_lag_crossover": lambda bar: averages_cross(bar, "tema", "dema", "bullish_cross", "bearish_cross"),
    "hull_turn": hull_turn,
    "price_crosses_kama": lambda bar: by_side(
        bar.crosses("close", "kama"), "crosses_above", "crosses_below", abs(bar("close") - bar("kama")) / bar("kama") * 200
    ),
    "average_pullback": average_pullback,
    "macd_crossover": lambda bar: by_side(
        bar.crosses("macd.macd", "macd.signal"), "bullish_cross", "bearish_cross", abs(bar("macd.histogram")) / bar("close") * 10_000
    ),
    "adx_trend": adx_trend,
    "aroon_crossover": lambda bar: by_side(
        bar.crosses("aroon.up", "aroon.down"), "bullish_cross", "bearish_cross", abs(bar("aroon.up") - bar("aroon.down")) / 100
    ),
    "supertrend_flip": lambda bar: flips(bar, "supertrend.supertrend", "supertrend.direction"),
    "parabolic_sar_flip": lambda bar: flips(bar, "sar.sar", "sar.direction"),
    "ichimoku_breakout": ichimoku_breakout,
    "daily_pivot_bounce": daily_pivot_bounce,
    "rsi_reversal": lambda bar: leaves_oscillator_zone(bar, "rsi"),
    "stochastic_crossover": stochastic_crossover,
    "oscillator_extremes": oscillator_extremes,
    "cci_reversal": lambda bar: comes_back(
        bar, "cci", -bar.params["level"], bar.params["level"], lambda last, _: abs(last) / bar.params["level"] - 1
    ),
    "momentum_vote": momentum_vote,
    "volatility_filter": volatility_filter,
    "regime": regime,
    "range_expansion": range_expansion,
    "bollinger_breakout": bollinger_breakout,
    "bollinger_reversal": bollinger_reversal,
    "bollinger_keltner_squeeze": bollinger_keltner_squeeze,
    "donchian_breakout": donchian_breakout,
    "vwap_reversion": vwap_reversion,
    "volume_divergence": volume_divergence,
    "money_flow_reversal": lambda bar: leaves_oscillator_zone(bar, "mfi"),
    "zscore_reversion": lambda bar: comes_back(
        bar, "zscore", -bar.params["threshold"], bar.params["threshold"], lambda last, _: 2 * (abs(last) / bar.params["threshold"] - 1)
    ),
    "regression_trend": regression_trend,
    "volume_backed_breakout": volume_backed_breakout,
    "candle_reversal": candle_reversal,
    "inside_bar_breakout": inside_bar_breakout,
    "session_filter": session_filter,
    "weekday_filter": weekday_filter,
    "higher_timeframe_trend": higher_timeframe_trend,
}
