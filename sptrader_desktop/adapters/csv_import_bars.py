"""How long bars are and whether they are stamped with their open or their close, told by their stamps alone; by any clock of half hours."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from sptrader_desktop.adapters.candle_checks import stamp_text
from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.timeframes import parse_timeframe

StampOf = Literal["open", "close"]
_SECOND_US = 1_000_000
_UNITS = (("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
_HALF_HOUR_US = 1_800 * _SECOND_US
_DAY_US = 86_400 * _SECOND_US
_ENOUGH = 2  # places at which stamps show that they are closes


@dataclass(frozen=True, slots=True, eq=False)
class BarQuestion:
    """About wall times, oldest first."""

    source: str
    walls: Int64Array
    told: str
    stamped: StampOf | None
    force: bool

    def timeframe(self) -> str:
        if self.told:
            parse_timeframe(self.told)
            return self.told
        steps, counts = np.unique(np.diff(self.walls), return_counts=True)
        steps, counts = steps[steps > 0], counts[-len(steps[steps > 0]) :]
        ask = "say it, such as --timeframe 1h"
        if not len(steps):
            raise DataError(f"{self.source}: one row does not show how long its bars are: {ask}")
        usual = int(steps[counts.argmax()])
        least = int(steps[0])
        if usual % least == 0 and 20 * int(counts[0]) >= int(counts.sum()):
            usual = least
        name = _name(usual)
        if not name:
            raise DataError(f"{self.source}: its rows are {usual / _SECOND_US:g} s apart, which is no timeframe: {ask}")
        return name

    def stamp(self) -> StampOf:
        """Trading stops and starts at full and half hours: the first bar after a pause opens then, the last before it closes then."""
        opens, closes = self._votes(parse_timeframe(self.timeframe()))
        looks: StampOf | None = (
            "close" if closes >= max(_ENOUGH, 2 * opens + 1) else "open" if opens >= max(_ENOUGH, 2 * closes + 1) else None
        )
        if self.stamped is None and looks == "close":
            raise DataError(
                f"{self.source}: its bars look stamped with their close: pauses begin and end at {closes} full or half hours that way: "
                "say --stamp close, or --stamp open if they are not"
            )
        if self.stamped == "close" and looks == "open" and not self.force:
            raise DataError(
                f"{self.source}: its bars look stamped with their open, at {opens} beginnings and ends of pauses: "
                "leave --stamp close out, or add --force"
            )
        return self.stamped or "open"

    def _votes(self, bar_us: int) -> tuple[int, int]:
        """A bar of half an hour or more looks the same either way."""
        if not len(self.walls) or 2 * bar_us > _HALF_HOUR_US or _HALF_HOUR_US % bar_us:
            return 0, 0
        pauses = np.flatnonzero(np.diff(self.walls) >= _HALF_HOUR_US + bar_us)
        lasts = self.walls[pauses] % _HALF_HOUR_US
        firsts = self.walls[np.append(0, pauses + 1)] % _HALF_HOUR_US
        opens = np.count_nonzero(firsts == 0) + np.count_nonzero(lasts == _HALF_HOUR_US - bar_us)
        return int(opens), int(np.count_nonzero(firsts == bar_us) + np.count_nonzero(lasts == 0))


def holes(stamps: Int64Array, bar_us: int) -> str:
    """Pauses inside the week, in words. A clock that was put forward leaves one of whole hours."""
    pauses = np.diff(stamps) - bar_us
    found = np.flatnonzero((pauses >= _HALF_HOUR_US) & (pauses < _DAY_US)) if bar_us < _DAY_US else np.empty(0, np.intp)
    if not len(found):
        return ""
    whole = int(np.count_nonzero(pauses[found] % (2 * _HALF_HOUR_US) == 0))
    at, long = stamp_text(int(stamps[found[0]]) + bar_us), int(pauses[found[0]]) // (60 * _SECOND_US)
    how = f"{whole:,} of them whole hours, as a clock that is put forward leaves"
    return f"{len(found):,} of half an hour to a day, {how}; the first of {long} min at {at}"


def _name(step_us: int) -> str:
    seconds, rest = divmod(step_us, _SECOND_US)
    if rest or not 0 < seconds <= 604_800:
        return ""
    return next(f"{seconds // length}{unit}" for unit, length in _UNITS if seconds % length == 0)
