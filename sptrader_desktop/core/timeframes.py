"""Timeframes as people write them (`30s`, `15m`, `1h`) in microseconds. Months are missing on purpose: they have no fixed length."""

import re

from sptrader_desktop.core.errors import DataError

_SECOND_US = 1_000_000
_UNIT_US = {
    "s": _SECOND_US,
    "m": 60 * _SECOND_US,
    "h": 3_600 * _SECOND_US,
    "d": 86_400 * _SECOND_US,
    "w": 7 * 86_400 * _SECOND_US,
}
_TIMEFRAME = re.compile(r"([1-9][0-9]{0,5})([smhdw])", re.ASCII)


def parse_timeframe(text: str) -> int:
    """The length of one bar in microseconds."""
    found = _TIMEFRAME.fullmatch(text)
    if found is None:
        raise DataError(f"'{text}' is not a timeframe: write a whole number and s, m, h, d or w, such as 30s, 15m, 1h or 1d")
    return int(found[1]) * _UNIT_US[found[2]]
