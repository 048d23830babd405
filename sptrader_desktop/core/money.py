"""Fixed-point numbers and their exact ways in and out.

Money is an integer of 1e-8 account currency, a fraction an integer of 1e-8, a price an integer of ticks, a quantity
an integer of steps. Decimal appears only here and where people read. The compiled twin of `round_ratio` is
`core.arithmetic.muldiv`.
"""

from decimal import Decimal

MONEY_ONE = 100_000_000
FRACTION_ONE = 100_000_000
INT64_MAX = 2**63 - 1


def round_ratio(numerator: int, denominator: int) -> int:
    """numerator / denominator, half to even."""
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    quotient, rest = divmod(numerator, denominator)
    double = 2 * rest
    if double > denominator or (double == denominator and quotient % 2):
        quotient += 1
    return quotient


def exact_multiple(value: Decimal, unit: Decimal) -> int:
    """value / unit when that is a whole number; ValueError otherwise."""
    count = value / unit
    whole = int(count)
    if whole * unit != value:
        raise ValueError(f"{value} is not a multiple of {unit}")
    return whole


def fixed(value: Decimal, one: int = MONEY_ONE) -> int:
    """A Decimal with at most eight decimals as an integer; ValueError when it has more."""
    return exact_multiple(value, Decimal(1) / one)


def money_text(units: int) -> str:
    """1e-8 units as a plain decimal string without trailing zeros beyond the cents."""
    return decimal_text(Decimal(units).scaleb(-8), 2)


def decimal_text(value: Decimal, least_places: int) -> str:
    """Plain notation, trailing zeros cut down to `least_places`."""
    text = f"{value:f}"
    whole, _, places = text.partition(".")
    places = places.rstrip("0").ljust(least_places, "0")
    return f"{whole}.{places}" if places else whole
