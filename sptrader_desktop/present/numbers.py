"""Exact integers as text: plain decimals for programs, grouped and signed figures for people. What a number looks like is decided here."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

import numpy as np

from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.core.money import MONEY_ONE, round_ratio

NONE = "–"
MINUTE_US = 60_000_000
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # its text must not carry the offset that Z stands for


@dataclass(frozen=True, slots=True)
class Unit:
    """A decimal unit, `factor` × 10 ** −`places`, whose whole counts are written exactly and with all its decimals."""

    factor: int
    places: int

    @classmethod
    def of(cls, size: Decimal) -> "Unit":
        _, digits, exponent = size.normalize().as_tuple()
        factor = int("".join(map(str, digits)))
        places = -int(exponent)
        return cls(factor, places) if places >= 0 else cls(factor * 10**-places, 0)

    def text(self, count: int) -> str:
        whole, rest = divmod(abs(count) * self.factor, 10**self.places)
        sign = "-" if count < 0 else ""
        return f"{sign}{whole}.{rest:0{self.places}d}" if self.places else f"{sign}{whole}"


@lru_cache(maxsize=256)
def price_unit(instrument: Instrument) -> Unit:
    return Unit.of(instrument.tick)


@lru_cache(maxsize=256)
def quantity_unit(instrument: Instrument) -> Unit:
    return Unit.of(instrument.step)


# For programs


def iso_time(stamp: int) -> str:
    """Microseconds UTC as ISO-8601 with Z; a fraction of a second only where there is one."""
    return f"{(EPOCH + timedelta(microseconds=stamp)).isoformat()}Z"


def iso_times(stamps: Int64Array) -> list[str]:
    return [iso_time(stamp) for stamp in stamps.tolist()]


def iso_date(day: int) -> str:
    """A day counted from 1970-01-01."""
    return str(np.datetime64(day, "D"))


# For people


def amount(units: int, *, signed: bool = False) -> str:
    """Money to the hundredth, half to even, with grouped thousands. What rounds to nothing has no sign."""
    hundredths = round_ratio(units, MONEY_ONE // 100)
    sign = "-" if hundredths < 0 else "+" if signed and hundredths else ""
    whole, rest = divmod(abs(hundredths), 100)
    return f"{sign}{whole:,}.{rest:02d}"


def share(fraction: float | None, *, signed: bool = False, places: int = 2) -> str:
    """A fraction in percent."""
    return NONE if fraction is None else f"{figure(100 * fraction, signed=signed, places=places)} %"


def figure(value: float | None, *, signed: bool = False, places: int = 2) -> str:
    if value is None:
        return NONE
    text = f"{value:+,.{places}f}" if signed else f"{value:,.{places}f}"
    is_zero = not any(digit in "123456789" for digit in text)
    return text.lstrip("+-") if is_zero else text


def grouped(text: str) -> str:
    """What a person wrote, with separators of thousands if it is a plain number; nothing else of it changes."""
    whole, point, rest = ungrouped(text).partition(".")
    if not re.fullmatch(r"[0-9]+", whole) or not re.fullmatch(r"[0-9]*", rest):
        return text
    return f"{re.sub(r'(?<=[0-9])(?=(?:[0-9]{3})+$)', ',', whole)}{point}{rest}"


def ungrouped(text: str) -> str:
    """Without separators of thousands. A comma anywhere else stays, for whoever refuses it: it may be meant as a decimal point."""
    return text.replace(",", "") if re.fullmatch(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?", text) else text


def typed_number(text: str) -> Decimal:
    """A comma is a decimal point. ValueError, with what to do, where it may as well group thousands, and for what is no number."""
    if doubt := doubtful_comma(text):
        raise ValueError(doubt)
    try:
        value = Decimal(text.strip().replace(",", "."))
    except ArithmeticError:
        raise ValueError("must be a number") from None
    if not value.is_finite():
        raise ValueError("must be a number")
    return value


def doubtful_comma(text: str) -> str:
    """What to write instead of `2,000`; nothing where there is no doubt."""
    typed = text.strip()
    if not re.fullmatch(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+", typed):
        return ""
    grouping, point = typed.replace(",", ""), typed.replace(",", ".", 1).replace(",", "")
    return f"a comma before three digits can be read two ways: write {grouping} or {point}"


def plain(value: Decimal) -> str:
    """An exact number a person gave, with grouped thousands and no zeros that say nothing."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def duration(hours: float | None) -> str:
    """`45 min`, `7.5 h` or `12.3 d`: the unit that keeps the figure small."""
    if hours is None:
        return NONE
    if hours < 1:
        return f"{60 * hours:.0f} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:,.1f} d"


def clock(stamp: int) -> str:
    """To the minute, or the second where a minute would lie."""
    moment = datetime.fromtimestamp(stamp // 1_000_000, UTC)
    return f"{moment:%Y-%m-%d %H:%M}" if stamp % MINUTE_US == 0 else f"{moment:%Y-%m-%d %H:%M:%S}"


def unbroken(sentence: str) -> str:
    """A figure and its unit on one line, wherever the sentence is broken."""
    return re.sub(r"(?<=\d) (?=%|[A-Z]{3}\b|of \d)|(?<=\d of) (?=\d)", "\N{NO-BREAK SPACE}", sentence)


def counted(count: int, noun: str, plural: str = "") -> str:
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
