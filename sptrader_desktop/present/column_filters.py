"""Which rows a person wants to see: `> 10`, `-5..5`, `4.12`, `2024-03`, `long`, `stop_loss, take_profit`, `!partial`."""

import re
from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal, InvalidOperation

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.present.columns import NOTHING, Column, Columns, Kind, Meant, Rows

Mask = NDArray[np.bool_]
MOST_DIGITS = 40  # on either side of the point: beyond it a number is none of a table's, and its digits alone would hold the window
COMPARISON = re.compile(r"\s*(>=|<=|!=|>|<|=)?\s*(.+?)\s*")
HOW = {
    Kind.NUMBER: "write > 10, <= 3.5, -5..5 or a number",
    Kind.TIME: "write 2024-03, > 2024-03-15 or 2024-01..2024-03",
}


class FilterError(ValueError):
    """A sentence for the person who typed."""


def chosen_rows(table: Columns, quick: str, filters: Mapping[str, str]) -> Rows:
    """The rows that pass all filters, in the table's order; keys that the table does not have are nobody's."""
    mask = np.ones(len(table), np.bool_)
    for column in table.columns:
        if text := filters.get(column.key, "").strip():
            mask &= passing(column, text)
    if quick := quick.strip():
        mask &= _mentioning(table, quick)
    return np.flatnonzero(mask)


def passing(column: Column, text: str) -> Mask:
    """Which rows pass what was typed for one column; FilterError says how it is to be written."""
    if column.kind is Kind.WORD:
        return _among(column, text)
    low, dots, high = text.partition("..")
    if dots:
        first, past = _meant(column, low).first, _meant(column, high).past
        return _there(column) & (column.values >= first) & (column.values < past)
    found = COMPARISON.fullmatch(text)
    if found is None:
        raise FilterError(f"{column.title}: {text}: {HOW[column.kind]}")
    sign, meant = found[1] or "=", _meant(column, found[2])
    return _there(column) & _compared(column, sign, meant)


def _compared(column: Column, sign: str, meant: Meant) -> Mask:
    values = column.values
    match sign:
        case ">":
            return np.asarray(values >= meant.past)
        case ">=":
            return np.asarray(values >= meant.first)
        case "<":
            return np.asarray(values < meant.first)
        case "<=":
            return np.asarray(values < meant.past)
    near = (values >= meant.near_first) & (values < meant.near_past)
    return np.asarray(~near if sign == "!=" else near)


def _there(column: Column) -> Mask:
    values = column.values
    return np.asarray(~np.isnan(values) if values.dtype.kind == "f" else values != NOTHING)


def _meant(column: Column, text: str) -> Meant:
    found = column.read(text.strip()) if column.read else None
    if found is None:
        raise FilterError(f"{column.title}: {text.strip() or 'nothing'}: {HOW[column.kind]}")
    return found


def _among(column: Column, text: str) -> Mask:
    """Any of the parts, none of those with an exclamation mark; `=` asks for the whole word."""
    parts = [part.strip() for part in text.split(",") if part.strip(" !=")]
    wanted = [part for part in parts if not part.startswith("!")]
    unwanted = [part[1:].strip() for part in parts if part.startswith("!")]
    has = np.array(
        [
            (not wanted or any(_matches(word, part) for part in wanted)) and not any(_matches(word, part) for part in unwanted)
            for word in column.words
        ],
        np.bool_,
    )
    return np.asarray(has[column.values]) if len(has) else np.zeros(len(column.values), np.bool_)


def _matches(word: str, part: str) -> bool:
    word, part = word.casefold(), part.casefold()
    return word == part[1:].strip() if part.startswith("=") else part in word


def _mentioning(table: Columns, text: str) -> Mask:
    """Some word holds it, or some number or time reads like it."""
    mask = np.zeros(len(table), np.bool_)
    for column in table.columns:
        if column.kind is Kind.WORD:
            mask |= _among(column, text)
        elif column.read and (meant := column.read(text)):
            mask |= _there(column) & _compared(column, "=", meant)
    return mask


def read_number(text: str, per_one: int, *, is_whole: bool) -> Meant | None:
    """A decimal in the column's units, `per_one` of which are 1 to a person. Groups of thousands and a unit at the end are forgiven."""
    try:
        value = Decimal(text.replace(",", "").replace("\u2212", "-").rstrip("%").strip())
    except InvalidOperation:
        return None
    if not value.is_finite() or value.adjusted() > MOST_DIGITS:
        return None
    places = -int(value.as_tuple().exponent)
    if not -MOST_DIGITS <= places <= MOST_DIGITS:
        return None
    half = Decimal(5).scaleb(-places - 1)
    exact, near_first, near_past = (number * per_one for number in (value, value - half, value + half))
    if not is_whole:
        return Meant(float(exact), float(np.nextafter(float(exact), np.inf)), float(near_first), float(near_past))
    return Meant(_up(exact), _up(exact) + (exact == _up(exact)), _up(near_first), _up(near_past))


def _up(value: Decimal) -> int:
    """The first whole number that is not below."""
    return int(value.to_integral_value(ROUND_CEILING))
