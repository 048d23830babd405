"""Dates and times as vendors write them, as microseconds of the clock they were written by; distinct texts are read once each.

Nothing is assumed: a date that could be two is asked for, a year of two digits is refused.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sptrader_desktop.adapters.csv_import_table import Table
from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.errors import DataError

FIRST_YEAR, LAST_YEAR = 1900, 2200
DateOrder = Literal["day-first", "month-first"]
_DAY_US, _MINUTE_US = 86_400_000_000, 60_000_000
_DIVIDED = "|".join(rf"\d{{1,4}}{mark}\d{{1,2}}{mark}\d{{1,4}}" for mark in (r"\.", "/", "-"))
_DATE = rf"(?P<date>\d{{8}}|{_DIVIDED}|\d{{1,2}}-[A-Za-z]{{3}}-\d{{4}})"
_TIME = r"(?P<time>\d{1,2}:\d{2}(?::\d{2})?|\d{6}|\d{4})(?P<fraction>[.,:]\d{1,9}|\d{3})?(?P<half> ?[AaPp][Mm])?"
_ZONE = r"(?P<zone>Z|UTC|GMT|(?:UTC|GMT)?[+-]\d{2}:?\d{2})?"
_STAMP = rf"^{_DATE}(?:[ T]+{_TIME})? ?{_ZONE}$"
_PARTS = ("date", "time", "fraction", "half", "zone")
_EPOCH = r"^(?P<whole>\d{9,10}|\d{13}|\d{16})(?:\.(?P<fraction>\d{1,9}))?$"
_EPOCH_UNITS = {9: 1_000_000, 10: 1_000_000, 13: 1_000, 16: 1}  # microseconds in one, by the number of digits
_UNDIVIDED = r"^(\d{8})(\d{4}|\d{6}|\d{9})$"
_MONTHS = {name: at for at, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_HELP = "is not a date and time that is understood: write it like 2024-01-02 17:00"


@dataclass(frozen=True, slots=True, eq=False)
class Stamps:
    """`wall` in microseconds since 1970 by the file's own clock; with `is_utc` the stamps said themselves how far they are from UTC."""

    wall: Int64Array
    is_utc: bool
    how: str
    order: DateOrder | None = None


def read_stamps(table: Table, columns: Sequence[int], order: DateOrder | None) -> Stamps:
    """From one column, or from one of dates and one of times."""
    texts = table.columns[columns[0]]
    if len(columns) == 2:
        texts = pc.binary_join_element_wise(texts, table.columns[columns[1]], " ")
    elif pc.match_substring_regex(texts[0], _UNDIVIDED).as_py():
        texts = pc.replace_substring_regex(texts, _UNDIVIDED, r"\1 \2")
    elif pc.match_substring_regex(texts[0], _EPOCH).as_py():
        return Stamps(_epoch(table, columns[0]), is_utc=True, how="seconds since 1970")
    parts = pc.extract_regex(texts, _STAMP)
    _refuse_null(table, columns, texts, parts)
    pieces = {name: pc.dictionary_encode(pc.struct_field(parts, name)) for name in _PARTS}
    reader = _Reader(table, columns[0], texts)
    days, order = reader.days(pieces["date"], order)
    times = reader.times(pieces["time"], pieces["fraction"], pieces["half"])
    offsets, is_utc = reader.offsets(pieces["zone"])
    return Stamps(days * _DAY_US + times - offsets, is_utc, "dates and times", order)


def times_of_day(table: Table, column: int, day: date) -> Stamps:
    """Milliseconds since midnight of a day that the file itself does not hold."""
    texts = table.columns[column]
    good = pc.match_substring_regex(texts, r"^\d{1,8}$")
    if not pc.all(good).as_py():
        raise table.refusal(pc.index(good, False).as_py(), column, "is not a number of milliseconds since midnight: mend or remove the row")
    since = _array(pc.cast(texts, pa.int64())) * 1_000
    late = since >= _DAY_US
    if late.any():
        raise table.refusal(int(late.argmax()), column, "lies after the end of the day: it is not milliseconds since midnight")
    return Stamps(since + (day - date(1970, 1, 1)).days * _DAY_US, is_utc=False, how=f"milliseconds since midnight of {day}")


def _refuse_null(table: Table, columns: Sequence[int], texts: Any, parts: Any) -> None:
    if not parts.null_count:
        return
    row = pc.index(pc.is_null(parts), True).as_py()
    text = texts[row].as_py()
    if re.match(r"\d{1,2}[./-]\d{1,2}[./-]\d{1,2}\b", text):
        raise _two_digits(table, row, columns[0], text)
    raise table.refusal(row, columns[0], _HELP, text)


def _two_digits(table: Table, row: int, column: int, text: str) -> DataError:
    return table.refusal(row, column, "has a year of two digits, which could be any of several dates: export it with four", text)


@dataclass(frozen=True, slots=True, eq=False)
class _Reader:
    """`column` is the first of the columns the texts came from."""

    table: Table
    column: int
    texts: Any

    def days(self, encoded: Any, order: DateOrder | None) -> tuple[Int64Array, DateOrder | None]:
        distinct = encoded.dictionary.to_pylist()
        short = next((text for text in distinct if _has_short_year(text)), None)
        if short is not None:
            raise _two_digits(self.table, self._row(encoded, short), self.column, short)
        order = self._order(encoded, distinct, order)
        return self._mapped(
            encoded, lambda text: _day(text, order), f"is no date between {FIRST_YEAR} and {LAST_YEAR}: mend or remove the row"
        ), order

    def _order(self, encoded: Any, distinct: list[str], told: DateOrder | None) -> DateOrder | None:
        both = [(int(parts[1]), int(parts[2]), text) for text in distinct if (parts := _EITHER.fullmatch(text))]
        if not both:
            return None
        seen: dict[DateOrder, str] = {}
        for a, b, text in both:
            if max(a, b) > 12:
                seen.setdefault("day-first" if a > 12 else "month-first", text)
        astray = next((text for order, text in seen.items() if len(seen) > 1 or order != (told or order)), None)
        if astray is not None:
            rule = (
                f"is no {told} date: leave --dates out, or mend the file" if told else "is written the other way round than dates before it"
            )
            raise self.table.refusal(self._row(encoded, list(seen.values())[-1]), self.column, rule)
        if told or seen:
            return told or next(iter(seen))
        rule = "may be day-first or month-first, and no date in the file settles it: say --dates day-first or --dates month-first"
        raise self.table.refusal(0, self.column, rule)

    def times(self, time: Any, fraction: Any, half: Any) -> Int64Array:
        bad = "is no time of day: mend or remove the row"
        found = self._mapped(time, _time, bad)
        # Fractions are of seconds: where a time has none the digits mean something else.
        codes, has_seconds = _codes(time), np.array([len(text.replace(":", "")) >= 5 for text in time.dictionary.to_pylist()] or [False])
        fractions = self._mapped(fraction, _fraction, "has more than six decimals of a second: round it to microseconds")
        astray = pc.not_equal(fraction.cast(pa.string()), "").to_numpy(zero_copy_only=False) & ~has_seconds[codes]
        if astray.any():
            raise self.table.refusal(int(astray.argmax()), self.column, _HELP, self.texts[int(astray.argmax())].as_py())
        halves = _array(pc.index_in(pc.utf8_lower(pc.utf8_trim_whitespace(half.cast(pa.string()))), pa.array(["", "am", "pm"])))
        hours = found // (60 * _MINUTE_US)
        wrong = (halves > 0) & ((hours < 1) | (hours > 12))
        if wrong.any():
            raise self.table.refusal(int(wrong.argmax()), self.column, bad, self.texts[int(wrong.argmax())].as_py())
        shift = np.where((halves == 2) & (hours < 12), 12, np.where((halves == 1) & (hours == 12), -12, 0))
        stamps: Int64Array = found + shift * 60 * _MINUTE_US + fractions
        return stamps

    def offsets(self, zone: Any) -> tuple[Int64Array, bool]:
        codes, distinct = _codes(zone), zone.dictionary.to_pylist()
        if "" in distinct and len(distinct) > 1:
            row = int((codes != codes[0]).argmax())
            rule = (
                "is written with a zone, and the rows before without"
                if distinct[codes[row]]
                else "has no zone, and the rows before have one"
            )
            raise self.table.refusal(row, self.column, rule + ": mend the file", self.texts[row].as_py())
        return self._mapped(zone, _offset, "has a zone that does not exist: mend it"), distinct != [""]

    def _mapped(self, encoded: Any, read: Callable[[str], int], rule: str) -> Int64Array:
        distinct = encoded.dictionary.to_pylist()
        values = np.zeros(len(distinct), np.int64)
        for at, text in enumerate(distinct):
            try:
                values[at] = read(text)
            except ValueError:
                row = self._row(encoded, text)
                raise self.table.refusal(row, self.column, rule, self.texts[row].as_py()) from None
        found: Int64Array = values[_codes(encoded)]
        return found

    def _row(self, encoded: Any, text: str) -> int:
        row: int = pc.index(encoded.cast(pa.string()), text).as_py()
        return row


_EITHER = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-]\d{4}", re.ASCII)


def _has_short_year(text: str) -> bool:
    numbers = re.split(r"[./-]", text)
    return len(numbers) == 3 and 4 not in (len(numbers[0]), len(numbers[2]))


def _day(text: str, order: DateOrder | None) -> int:
    if text.isdigit():
        year, month, day = int(text[:4]), int(text[4:6]), int(text[6:])
    else:
        a, b, c = re.split(r"[./-]", text)
        if not b.isdigit():
            year, month, day = int(c), _MONTHS.get(b.lower(), 0), int(a)
        elif len(a) == 4:
            year, month, day = int(a), int(b), int(c)
        else:
            month, day = (int(b), int(a)) if order == "day-first" else (int(a), int(b))
            year = int(c)
    if not FIRST_YEAR <= year < LAST_YEAR:
        raise ValueError(text)
    return (date(year, month, day) - date(1970, 1, 1)).days


def _time(text: str) -> int:
    if not text:
        return 0
    digits = text.replace(":", "").rjust(4 if text.count(":") < 2 and len(text) < 6 else 6, "0")
    hours, minutes, seconds = int(digits[:2]), int(digits[2:4]), int(digits[4:] or 0)
    if hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError(text)
    return ((hours * 60 + minutes) * 60 + seconds) * 1_000_000


def _fraction(text: str) -> int:
    digits = text.lstrip(".,:").ljust(6, "0")
    if digits[6:].strip("0"):
        raise ValueError(text)
    return int(digits[:6])


def _offset(text: str) -> int:
    found = re.search(r"([+-])(\d\d):?(\d\d)$", text)
    if found is None:
        return 0
    hours, minutes = int(found[2]), int(found[3])
    if hours > 15 or minutes > 59:
        raise ValueError(text)
    return (hours * 60 + minutes) * _MINUTE_US * (1 if found[1] == "+" else -1)


def _epoch(table: Table, column: int) -> Int64Array:
    texts = table.columns[column]
    parts = pc.extract_regex(texts, _EPOCH)
    rule = "is not a whole number of seconds or milliseconds since 1970 like those before it: mend or remove the row"
    if parts.null_count:
        raise table.refusal(pc.index(pc.is_null(parts), True).as_py(), column, rule)
    whole, fraction = pc.struct_field(parts, "whole"), pc.dictionary_encode(pc.struct_field(parts, "fraction"))
    lengths = _array(pc.utf8_length(whole))
    unit = _EPOCH_UNITS.get(int(lengths[0]), 0)
    units = np.array([_EPOCH_UNITS.get(length, 0) for length in range(20)])[lengths]
    wrong = (units != unit) | (units == 0)
    if wrong.any():
        raise table.refusal(int(wrong.argmax()), column, rule)
    parsed = _Reader(table, column, texts)._mapped(fraction, _fraction, "has more than six decimals of a second: round it to microseconds")
    return _array(pc.cast(whole, pa.int64())) * unit + parsed


def _codes(encoded: Any) -> Int64Array:
    return _array(pc.cast(encoded.indices, pa.int64()))


def _array(column: Any) -> Int64Array:
    found: Int64Array = np.asarray(column.to_numpy(zero_copy_only=False), np.int64)
    return found
