"""The clock of a file: what was told, or what the vendor says, held against the weekends in it; never a silent guess."""

from dataclasses import dataclass

import numpy as np

from sptrader_desktop.adapters.candle_checks import stamp_text
from sptrader_desktop.adapters.csv_import_weeks import Weeks, weeks
from sptrader_desktop.adapters.zoneinfo_clocks import Clock, ClockError, clock_named, to_utc
from sptrader_desktop.core.calendar import HOUR_US
from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import Instrument

# Clocks that vendors and brokers' servers are seen to keep.
USUAL = ("UTC", "America/New_York", "UTC-5", "EET", "America/New_York+7", "Europe/London", "CET", "UTC+2", "UTC+3")
IN_THE_STAMPS = "UTC"
SURE = 0.9  # of the weekends fit: then another clock that fits few of them is not believed
_METALS = ("XAU", "XAG")  # open an hour after currencies


@dataclass(frozen=True, slots=True, eq=False)
class Zoned:
    utc: Int64Array
    why: str
    clock: str


@dataclass(frozen=True, slots=True, eq=False)
class _Weighed:
    clock: Clock
    utc: Int64Array
    weeks: Weeks

    @property
    def fits(self) -> int:
        return int(self.weeks.fitting.sum())

    @property
    def share(self) -> float:
        return self.fits / max(1, len(self.weeks.of))

    def count(self) -> str:
        return f"{self.fits} of {len(self.weeks.of)} weekends fit"


@dataclass(frozen=True, slots=True, eq=False)
class ClockQuestion:
    """`claimed` is the clock that vendor or header name, `also` one that the vendor is known to write by as well; `shift_us` puts bars
    that are stamped with their close back to their open; `force` takes what was told against all evidence."""

    source: str
    walls: Int64Array
    bar_us: int
    instrument: Instrument
    shift_us: int = 0
    claimed: str = ""
    also: str = ""
    force: bool = False

    def told(self, zone: str) -> Zoned:
        found = self._weighed(clock_named(zone))
        if not self.force and found.weeks.of:
            best = self._best(found)
            outdone = best is not None and 2 * found.fits < len(found.weeks.of) and best.share >= SURE
            if found.weeks.is_refuted or outdone:
                said = f"by the clock {zone} {found.weeks.misfit()}, and only {found.count()} the market's hours"
                raise DataError(f"{self.source}: {said}: {self._hint(found, best)}; --force takes it as it is")
        return Zoned(found.utc, f"{zone}, as told" + (f"; {found.count()} the market's hours" if found.weeks.of else ""), zone)

    def in_stamps(self) -> Zoned:
        found = self.told(IN_THE_STAMPS)
        return Zoned(found.utc, found.why.replace("UTC, as told", "the stamps say it themselves"), IN_THE_STAMPS)

    def found(self) -> Zoned:
        weighed, faults = self._all()
        if not weighed:
            raise faults[0]
        known = [each for each in weighed if each.weeks.of]
        if not known:
            return self._unconfirmed(weighed)
        good = [each for each in known if not each.weeks.is_refuted and 2 * each.fits >= len(each.weeks.of)]
        best = [each for each in good if each.fits == max(other.fits for other in good)]
        if not best or not all(np.array_equal(each.utc, best[0].utc) for each in best):
            raise self._undecided(best or known)
        return Zoned(best[0].utc, self._because(best[0], weighed), best[0].clock.name)

    def _all(self) -> tuple[list[_Weighed], list[ClockError]]:
        weighed, faults = [], []
        for name in dict.fromkeys([self.claimed, *USUAL] if self.claimed else USUAL):
            try:
                weighed.append(self._weighed(clock_named(name)))
            except ClockError as fault:
                faults.append(fault)
        return weighed, faults

    def _weighed(self, clock: Clock) -> _Weighed:
        utc = to_utc(self.walls, clock)
        back = np.diff(utc) < 0
        if back.any():
            row = int(back.argmax()) + 1
            before = f"comes after {_wall(self.walls[row - 1])}, and {clock.name} is not put back then"
            raise ClockError(row, f"{before}: sort the rows, or give their clock")
        late = HOUR_US if self.instrument.base in _METALS else 0
        utc -= self.shift_us
        has_week = not self.instrument.charged_every_day
        return _Weighed(clock, utc, weeks(utc if has_week else utc[:0], self.bar_us, late))

    def _unconfirmed(self, weighed: list[_Weighed]) -> Zoned:
        claim = next((each for each in weighed if each.clock.name == self.claimed), None)
        if claim is None:
            open_question = f"nothing in it says by which clock {_wall(self.walls[0])} was written"
            raise DataError(f"{self.source}: {open_question}: say it, for example --zone UTC or --zone EET")
        other = next((each for each in weighed if each.clock.name == self.also), None)
        if other is not None and not np.array_equal(other.utc, claim.utc):
            doubt = f"its vendor says {self.claimed}, but other files of it are on {self.also}, and no weekend in this one settles it"
            raise DataError(f"{self.source}: {doubt}: say --zone {self.claimed} or --zone {self.also}")
        return Zoned(claim.utc, f"{self.claimed}, as the file says; no weekend in the file confirms it", self.claimed)

    def _because(self, best: _Weighed, weighed: list[_Weighed]) -> str:
        name, claim = best.clock.name, next((each for each in weighed if each.clock.name == self.claimed), None)
        if claim is None or np.array_equal(claim.utc, best.utc):
            vendor = ", as the file says" if claim is not None else ""
            return f"{self.claimed if claim else name}{vendor}; {best.count()} the market's hours"
        return f"{name}: the file says {self.claimed}, but {best.count()} {name} and {claim.fits} fit {self.claimed}"

    def _undecided(self, known: list[_Weighed]) -> DataError:
        ranked = sorted(known, key=lambda each: (each.weeks.is_refuted, -each.fits))[:3]
        shown = ", ".join(f"{each.clock.name} ({each.fits} of {len(each.weeks.of)} weekends)" for each in ranked)
        return DataError(f"{self.source}: its weekends do not settle which clock it was written by; nearest are {shown}: say --zone")

    def _best(self, told: _Weighed) -> _Weighed | None:
        good = [each for each in self._all()[0] if not each.weeks.is_refuted and each.share > told.share]
        return max(good, key=lambda each: each.share, default=None)

    def _hint(self, told: _Weighed, best: _Weighed | None) -> str:
        closed = weeks(told.utc - self.bar_us, self.bar_us)
        if self.bar_us and not closed.is_refuted and 2 * int(closed.fitting.sum()) >= len(closed.of):
            return "if bars are stamped with their close say --stamp close"
        return f"{best.count()} --zone {best.clock.name}" if best else "look whether the file is whole"


def _wall(wall_us: int) -> str:
    return stamp_text(int(wall_us)).removesuffix("Z").replace("T", " ")
