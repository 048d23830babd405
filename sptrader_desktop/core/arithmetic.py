"""Exact integer products and quotients for the compiled rules: 128 bits by limbs, half to even, an error instead of a wrap."""

import numpy as np

from sptrader_desktop.core.compiled import compiled, inlined

SAFE = 9.0e18  # products estimated below this fit 64 bits whatever the float rounding did
U32 = np.uint64(32)
LOW = np.uint64(0xFFFFFFFF)
ZERO, ONE, TWO = np.uint64(0), np.uint64(1), np.uint64(2)
LARGEST = np.uint64(2**63 - 1)


@inlined
def product(a: int, b: int) -> int:
    """a × b, refused when it leaves 64 bits."""
    if abs(float(a) * float(b)) >= SAFE:
        raise OverflowError("a product left 64 bits: the position is too large for exact money")
    return a * b


@inlined
def total(a: int, b: int) -> int:
    """a + b, refused when it leaves 64 bits: then the sum has the sign of neither."""
    whole = a + b
    if ((a ^ whole) & (b ^ whole)) < 0:
        raise OverflowError("a sum left 64 bits: the account is too large for exact money")
    return whole


@compiled
def wide(a: np.uint64, b: np.uint64) -> tuple[np.uint64, np.uint64]:
    """a × b as (high, low) 64-bit halves."""
    a0, a1 = a & LOW, a >> U32
    b0, b1 = b & LOW, b >> U32
    low = a0 * b0
    middle = a1 * b0 + (low >> U32)
    other = a0 * b1 + (middle & LOW)
    return a1 * b1 + (middle >> U32) + (other >> U32), (other << U32) | (low & LOW)


@compiled
def digit(high: np.uint64, low: np.uint64, divisor: np.uint64) -> np.uint64:
    """One 32-bit digit of (high·2³² + low) / divisor, for a divisor whose top bit is set and high < divisor."""
    top, bottom = divisor >> U32, divisor & LOW
    guess = high // top
    rest = high - guess * top
    while guess > LOW or guess * bottom > ((rest << U32) | low):
        guess -= ONE
        rest += top
        if rest > LOW:
            break
    return guess


@compiled
def divide_wide(high: np.uint64, low: np.uint64, divisor: np.uint64) -> tuple[np.uint64, np.uint64]:
    """(quotient, rest) of a 128-bit number; needs high < divisor."""
    shift = ZERO
    for step in (np.uint64(32), np.uint64(16), np.uint64(8), np.uint64(4), TWO, ONE):
        if divisor >> (np.uint64(64) - step) == ZERO:
            divisor <<= step
            shift += step
    if shift > ZERO:
        high = (high << shift) | (low >> (np.uint64(64) - shift))
        low <<= shift
    first = digit(high, low >> U32, divisor)
    between = ((high << U32) | (low >> U32)) - first * divisor
    second = digit(between, low & LOW, divisor)
    rest = ((between << U32) | (low & LOW)) - second * divisor
    return (first << U32) | second, rest >> shift


@compiled
def wide_muldiv(a: int, b: int, c: int) -> int:
    """`muldiv` for products past 64 bits."""
    high, low = wide(np.uint64(abs(a)), np.uint64(abs(b)))
    divisor = np.uint64(c)
    if high >= divisor:
        raise OverflowError("an amount left 64 bits: the position is too large for exact money")
    big, left = divide_wide(high, low, divisor)
    if left > divisor - left or (left == divisor - left and big & ONE == ONE):
        big += ONE
    if big > LARGEST:
        raise OverflowError("an amount left 64 bits: the position is too large for exact money")
    return int(np.int64(big) if (a < 0) == (b < 0) else -np.int64(big))


@inlined
def muldiv(a: int, b: int, c: int) -> int:
    """a × b / c half to even; c is positive."""
    if abs(float(a) * float(b)) >= SAFE:
        return wide_muldiv(a, b, c)
    whole = a * b
    quotient = whole // c
    rest = whole - quotient * c
    if rest > c - rest or (rest == c - rest and quotient & 1):
        quotient += 1
    return quotient


@compiled
def wide_muldiv_floor(a: int, b: int, c: int) -> int:
    high, low = wide(np.uint64(a), np.uint64(b))
    if high >= np.uint64(c):
        raise OverflowError("an amount left 64 bits: the position is too large for exact money")
    big, _ = divide_wide(high, low, np.uint64(c))
    if big > LARGEST:
        raise OverflowError("an amount left 64 bits: the position is too large for exact money")
    return int(np.int64(big))


@inlined
def muldiv_floor(a: int, b: int, c: int) -> int:
    """a × b / c rounded down, for a, b ≥ 0 and c > 0."""
    return a * b // c if float(a) * float(b) < SAFE else wide_muldiv_floor(a, b, c)


@compiled
def at_least(a: int, b: int, c: int, d: int) -> bool:
    """a × b ≥ c × d, exactly, for numbers ≥ 0."""
    left, right = float(a) * float(b), float(c) * float(d)
    if left < SAFE and right < SAFE:
        return a * b >= c * d
    high, low = wide(np.uint64(a), np.uint64(b))
    other_high, other_low = wide(np.uint64(c), np.uint64(d))
    return bool(high > other_high or (high == other_high and low >= other_low))


@compiled
def round_float(value: float) -> int:
    """Half to even; the one way a sizing or indicator float becomes a number of ticks."""
    return int(np.int64(np.rint(value)))
