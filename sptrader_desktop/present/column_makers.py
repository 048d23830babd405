"""The columns that results have, each with its unit, its text for people and its exact text for programs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.core.money import MONEY_ONE, money_text
from sptrader_desktop.present.column_filters import read_number
from sptrader_desktop.present.columns import NOTHING, Column, Kind, Meant, Values
from sptrader_desktop.present.numbers import NONE, amount, figure, iso_time, plain, price_unit, quantity_unit
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.present.zone_clock import clock_in, typed_span

Ints = NDArray[np.int64]


def count(key: str, title: str, values: Ints, tip: str = "", unit: str = "", **more: Any) -> Column:
    return Column(key, title, values, _unless(values, "{:,}".format), _unless(values, str, ""), unit=unit, tip=tip, read=whole(1), **more)


def money(key: str, title: str, values: Ints, currency: str, tip: str = "", *, is_signed: bool = True, **more: Any) -> Column:
    shown = partial(amount, signed=is_signed)
    texts = _unless(values, shown), _unless(values, money_text, "")
    return Column(key, title, values, *texts, unit=currency, tip=tip, read=whole(MONEY_ONE), is_signed=is_signed, **more)


def ratio(key: str, title: str, values: NDArray[np.float64], unit: str, tip: str = "", places: int = 2, **more: Any) -> Column:
    """`%` and other units as they stand in `values`; NaN is no value."""

    def text(row: int) -> str:
        value = float(values[row])
        return NONE if np.isnan(value) else figure(value, signed=more.get("is_signed", False), places=places)

    def exact(row: int) -> str:
        value = float(values[row])
        return "" if np.isnan(value) else repr(value)

    return Column(key, title, values, text, exact, unit=unit, tip=tip, read=partial(read_number, per_one=1, is_whole=False), **more)


def times(key: str, title: str, stamps: Ints, zone: Zone, tip: str = "", **more: Any) -> Column:
    def read(text: str) -> Meant | None:
        span = typed_span(text, zone)
        return Meant(*span, *span) if span else None

    texts = _unless(stamps, lambda stamp: clock_in(stamp, zone)), _unless(stamps, iso_time, "")
    return Column(key, title, stamps, *texts, kind=Kind.TIME, unit=zone.value, tip=tip, read=read, **more)


def word(key: str, title: str, codes: Ints, words: Sequence[str], tip: str = "", shown: Sequence[str] | None = None, **more: Any) -> Column:
    """`shown` are the words as people read them, where programs know them by others."""
    said = words if shown is None else shown
    return Column(
        key, title, codes, lambda row: said[codes[row]], lambda row: words[codes[row]], kind=Kind.WORD, words=said, tip=tip, **more
    )


def per_symbol(key: str, title: str, values: Ints, symbols: Ints, units: Sequence["Scale"], tip: str = "", **more: Any) -> Column:
    """Counts of ticks or steps; of one symbol they are sorted as the integers they are, of several by what they come to."""

    def text(row: int) -> str:
        return NONE if values[row] == NOTHING else units[symbols[row]].shown(int(values[row]))

    def exact(row: int) -> str:
        return "" if values[row] == NOTHING else units[symbols[row]].exact(int(values[row]))

    whole_ones = {unit.per_one for unit in units}
    if len(whole_ones) == 1 and (one := whole_ones.pop()) == int(one):
        return Column(key, title, values, text, exact, tip=tip, read=whole(int(one)), **more)
    sizes = np.array([1 / unit.per_one for unit in units])
    compared: Values = np.where(values == NOTHING, np.nan, values * sizes[symbols])
    return Column(key, title, compared, text, exact, tip=tip, read=partial(read_number, per_one=1, is_whole=False), **more)


@dataclass(frozen=True, slots=True)
class Scale:
    """How counts of one symbol's ticks or steps are read: `per_one` of them are 1."""

    per_one: float
    exact: Callable[[int], str]
    shown: Callable[[int], str]


def price_scale(instrument: Instrument) -> Scale:
    text = price_unit(instrument).text
    return Scale(instrument.ticks_per_one, text, text)


def quantity_scale(instrument: Instrument) -> Scale:
    step = instrument.step
    return Scale(float(1 / step), quantity_unit(instrument).text, lambda steps: plain(steps * step))


def whole(per_one: int) -> Callable[[str], Meant | None]:
    return partial(read_number, per_one=per_one, is_whole=True)


def _unless(values: Values, said: Callable[[int], str], otherwise: str = NONE) -> Callable[[int], str]:
    def text(row: int) -> str:
        value = int(values[row])
        return otherwise if value == NOTHING else said(value)

    return text
