"""What the data doctor can find, as plain records: one list of kinds, with how bad each is and what to do about it.

A window, a text and a JSON document are made from the same `Inspection`; nothing here knows a file format.
"""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["refused", "doubtful", "note"]
SEVERITIES: tuple[Severity, ...] = ("refused", "doubtful", "note")


@dataclass(frozen=True, slots=True)
class Kind:
    """`refused`: no backtest takes the file; `doubtful`: it would run and could be wrong; `note`: worth knowing."""

    severity: Severity
    what: str
    advice: str


KINDS: dict[str, Kind] = {
    "no_time": Kind("refused", "stamps that are missing or outside the years 1900 to 2200", "drop the rows (--fix no_time)"),
    "nanoseconds": Kind("refused", "stamps finer than a microsecond", "cut them off (--fix nanoseconds)"),
    "timeframe": Kind("refused", "another timeframe than the stated one", "state the true one, in the name or with --timeframe"),
    "repeated_hour": Kind("refused", "an hour that comes twice, as on a local clock in autumn", "import the original with its time zone"),
    "unordered": Kind("refused", "rows that come later than they should", "sort (--fix unordered)"),
    "duplicate": Kind("refused", "rows that repeat a row", "drop them (--fix duplicate)"),
    "conflict": Kind("refused", "rows of one stamp with different values", "decide which are right, or keep the first (--fix conflict)"),
    "overlap": Kind("refused", "bars that open inside the bar before", "find out which are right, or drop them (--fix overlap)"),
    "missing_price": Kind("refused", "empty prices", "drop the rows (--fix missing_price)"),
    "infinite": Kind("refused", "prices too large to be one", "drop the rows (--fix infinite)"),
    "not_positive": Kind("refused", "prices of zero or below", "drop the rows (--fix not_positive)"),
    "decimal_shift": Kind("doubtful", "prices whose decimal point has moved", "move it back (--fix decimal_shift)"),
    "off_tick": Kind("refused", "prices between two ticks", "round them (--fix off_tick), or define a finer tick"),
    "columns": Kind("refused", "columns in another order than their names say", "rename them where the file is made"),
    "swapped": Kind("refused", "high and low exchanged", "exchange them (--fix swapped)"),
    "range": Kind("refused", "open or close outside low to high", "look at the rows, or drop them (--fix range)"),
    "bad_volume": Kind("refused", "volume that is no number of zero or more", "drop the rows (--fix bad_volume)"),
    "time_zone": Kind("doubtful", "weeks that open and close by another clock", "move the stamps (--zone or --shift)"),
    "clock_jump": Kind("doubtful", "weeks on another clock than the rest", "import the original with its time zones"),
    "close_stamped": Kind("doubtful", "stamps that look like closes", "move the stamps by one bar (--shift)"),
    "weekend": Kind("doubtful", "bars while the market is closed", "drop them (--fix weekend)"),
    "spike": Kind("doubtful", "prices far out that are gone in the next bar", "look at them, or drop the bars (--fix spike)"),
    "flat": Kind("doubtful", "long runs of bars without any movement", "drop them (--fix flat)"),
    "stale": Kind("doubtful", "runs of one bar repeated", "drop the repetitions (--fix stale)"),
    "filled": Kind("doubtful", "flat bars without volume in a file with volume", "drop them (--fix filled)"),
    "crossed": Kind("doubtful", "bid above ask", "look at them, or drop the bars (--fix crossed)"),
    "wide_spread": Kind("doubtful", "spreads out of all proportion", "look at them, or drop the bars (--fix wide_spread)"),
    "hole": Kind("doubtful", "market time without bars, long enough to matter", "fetch what is missing"),
    "gap": Kind("note", "short spans of market time without bars", "nothing, if nothing was traded in them"),
    "holiday": Kind("note", "bars missing around Christmas and New Year", "nothing: the market is closed or nearly so"),
    "daily_break": Kind("note", "no bars for some time after every roll", "nothing, if the market has this break"),
}


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row as the file counts it, from 1; `at` is its stamp as read, in microseconds UTC, None where it has none."""

    row: int
    at: int | None
    values: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """`count` rows (of `hole`, `gap` and `holiday`: spans), the first of them in file order, and the rule with its numbers.

    `is_refused`: the kind is doubtful by itself, but no backtest takes these rows.
    """

    kind: str
    count: int
    first: tuple[ShownRow, ...]
    rule: str
    is_refused: bool = False

    @property
    def severity(self) -> Severity:
        return "refused" if self.is_refused else KINDS[self.kind].severity


@dataclass(frozen=True, slots=True)
class Span:
    """Bars that are missing: the first would have opened at `start`, the next there is opens at `end`."""

    start: int
    end: int
    bars: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of the bars that the market could have made between the first and the last; `missing` longest first."""

    expected: int
    present: int
    missing: tuple[Span, ...]

    @property
    def share(self) -> float | None:
        return self.present / self.expected if self.expected else None


@dataclass(frozen=True, slots=True)
class Inspection:
    """`timeframe` is the stated one, empty where none is; `bar_us` the one that was seen, by which everything was measured."""

    source: str
    symbol: str
    timeframe: str
    bar_us: int
    rows: int
    first: int | None
    last: int | None
    has_ask: bool
    zero_ranges: int
    coverage: Coverage
    findings: tuple[Finding, ...]

    @property
    def worst(self) -> Severity | None:
        found = {finding.severity for finding in self.findings}
        return next((severity for severity in SEVERITIES if severity in found), None)

    @property
    def is_sound(self) -> bool:
        return self.worst in (None, "note")
