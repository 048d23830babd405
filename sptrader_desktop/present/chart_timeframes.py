"""Which timeframes the candles at hand can be shown and run in."""

from sptrader_desktop.core.calendar import DAY_US, HOUR_US
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.resample import made_length
from sptrader_desktop.core.timeframes import parse_timeframe

USUAL = ("1s", "5s", "15s", "30s", "1m", "2m", "5m", "10m", "15m", "30m", "1h", "2h", "4h", "8h", "12h", "1d", "1w")


def timeframes_from(own: str) -> tuple[str, ...]:
    """The candles' own, and the usual longer ones whose bars are made of whole shorter bars. Days begin at 17:00 in New York, a full
    hour that lies inside the bars of several hours: those make no days."""
    length = parse_timeframe(own)
    found = [name for name in USUAL if _is_made_of(parse_timeframe(name), length)]
    return (own, *found)


def longer_timeframes(own: str, wanted: str = "") -> tuple[str, ...]:
    """The usual ones without their own, and `wanted` where it can be made too."""
    found = {*timeframes_from(own)[1:], *([wanted] if wanted and _can_be_made(wanted, parse_timeframe(own)) else [])}
    return tuple(sorted(found, key=lambda timeframe: (parse_timeframe(timeframe), timeframe)))


def is_as_long(timeframe: str, own: str) -> bool:
    """`60m` of `1h`: the candles as they are."""
    try:
        return parse_timeframe(timeframe) == parse_timeframe(own)
    except DataError:
        return False


def _can_be_made(timeframe: str, of: int) -> bool:
    try:
        length = made_length(timeframe)
    except DataError:
        return False
    return _is_made_of(length, of)


def _is_made_of(long: int, short: int) -> bool:
    if long <= short or long % short:
        return False
    return long < DAY_US or HOUR_US % short == 0 or short == DAY_US
