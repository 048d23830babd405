"""The texts of a recipe as values: every number exact, every refusal naming its option."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar, get_args

from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.strategy import Scalar
from sptrader_desktop.core.strategy_comparisons import NotExactError, exact_number
from sptrader_desktop.core.terms import Commission, FillConvention, IntrabarPolicy, Terms
from sptrader_desktop.runtime.recipe import Recipe

Word = TypeVar("Word", bound=str)
FILLS: tuple[FillConvention, ...] = get_args(FillConvention)
POLICIES: tuple[IntrabarPolicy, ...] = get_args(IntrabarPolicy)
FIRST_YEAR, LAST_YEAR = 1900, 2200


def terms_of(recipe: Recipe) -> Terms:
    """The account and its costs; every number is exact or refused."""
    capital, leverage = number(recipe.capital, "--capital"), number(recipe.leverage, "--leverage")
    if capital <= 0 or _decimals(capital) > 8:
        raise RunError(f"--capital {recipe.capital}: give an amount above zero with at most eight decimals")
    if not 1 <= leverage <= 5000 or _decimals(leverage) > 2:
        raise RunError(f"--leverage {recipe.leverage}: give a number from 1 to 5000 with at most two decimals")
    if len(recipe.currency) != 3 or not (recipe.currency.isascii() and recipe.currency.isupper()):
        raise RunError(f"--currency {recipe.currency}: give three capital letters, for example USD")
    return Terms(
        capital=capital,
        currency=recipe.currency,
        fill=_one_of(recipe.fill, FILLS, "--fill"),
        intrabar=_one_of(recipe.intrabar, POLICIES, "--intrabar"),
        spread_pips=_cost(recipe.spread, "--spread"),
        slippage_pips=_cost(recipe.slippage, "--slippage"),
        commission=commission(recipe.commission),
        leverage=leverage,
    )


def _one_of(text: str, words: Sequence[Word], option: str) -> Word:
    """A kept recipe may have been edited: an unknown word must not pass for the default."""
    found = next((word for word in words if word == text), None)
    if found is None:
        raise RunError(f"{option} {text}: give one of {', '.join(words)}")
    return found


def commission(text: str) -> Commission:
    """`7/lot`, `0.002%`, `min=1`, or several joined by commas; a bare number is per lot."""
    found: dict[str, Decimal] = {}
    parts = [piece.strip() for piece in text.split(",") if piece.strip()]
    for part in parts:
        if part.endswith("%"):
            kind, value = "percent", _cost(part[:-1], "--commission") / 100
        elif part.startswith("min="):
            kind, value = "minimum", _cost(part[4:], "--commission")
        elif part.endswith("/lot") or len(parts) == 1:
            kind, value = "per_lot", _cost(part.removesuffix("/lot"), "--commission")
        else:
            raise RunError(f"--commission {text}: {part} does not say of what: write 3.5/lot, 0.002% or min=1, with a point in decimals")
        if kind in found:
            raise RunError(f"--commission {text}: {part} says again what was said before it, keep one of the two")
        found[kind] = value
    return Commission(**found)


def _cost(text: str, option: str) -> Decimal:
    value = number(text, option)
    if value < 0 or _decimals(value) > 6:
        raise RunError(f"{option} {text}: a cost is zero or more, with at most six decimals")
    return value


def number(text: str, option: str) -> Decimal:
    try:
        value = exact_number(text.strip())
    except NotExactError as error:
        raise RunError(f"{option} {text}: it {error}") from None
    if value is None:
        raise RunError(f"{option} {text}: that is not a number: write it like 1000 or 0.25")
    if abs(value) >= Decimal("1e10"):
        raise RunError(f"{option} {text}: give a number below ten billion")
    return value


def _decimals(value: Decimal) -> int:
    """How many are written out; zeros at the end do not count."""
    return len(f"{value:f}".partition(".")[2].rstrip("0"))


def moment(text: str, option: str) -> datetime | None:
    """A date or a time; without a zone it is UTC."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise RunError(f"{option} {text}: give a date like 2024-03-01 or a time like 2024-03-01T14:00Z") from None
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise RunError(f"{option} {text}: give a year from {FIRST_YEAR} to {LAST_YEAR}, candles can be of no other")
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def overrides(params: tuple[str, ...]) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for item in params:
        name, separator, text = item.partition("=")
        if not separator or not name:
            raise RunError(f"--param {item}: write it as name=value")
        if name in found:
            raise RunError(f"--param {item}: {name} is given twice, keep one of the two")
        found[name] = _scalar(item, text)
    return found


def _scalar(item: str, text: str) -> Scalar:
    """As the same text would be read in a strategy file."""
    if text in ("true", "false"):
        return text == "true"
    try:
        value = exact_number(text)
    except NotExactError as error:
        raise RunError(f"--param {item}: it {error}") from None
    return text if value is None else value
