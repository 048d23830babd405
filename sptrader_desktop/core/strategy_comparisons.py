"""What may stand beside the name of a signal's output: a small grammar of its own, so that nothing written in a file is ever run."""

import re
from decimal import Decimal

from sptrader_desktop.core.strategy import Comparison, Operator, Scalar
from sptrader_desktop.core.strategy_fields import NO_PARAMETER, REFERENCE, Field

FORMS = 'write a value, a list, "> 0.1" (or >= < <= == !=), "in [a, b]" or a range "0.1..0.5"'
NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
WORD = re.compile(r"[^\s,\[\]<>=!'\"][^,\[\]<>=!'\"]*")
SYMBOLS: tuple[Operator, ...] = (">=", "<=", "==", "!=", ">", "<")
ORDERINGS = {">", ">=", "<", "<=", "range"}
LONGEST = 200


class NotExactError(ValueError):
    """A number so long or so large that it is no price, size or share of anything."""

    def __init__(self) -> None:
        super().__init__("must be a number of at most 28 digits, between -1e15 and 1e15")


class UnknownParameterError(Exception):
    """Its text is the parameter's name."""


def exact_number(text: str) -> Decimal | None:
    """The number that `text` writes, digit for digit; None when it writes none."""
    if not NUMBER.fullmatch(text):
        return None
    _, _, exponent = text.lower().partition("e")
    if len(text) > 40 or len(exponent) > 4:
        raise NotExactError
    number = Decimal(text)
    _, digits, places = number.as_tuple()
    if len(digits) > 28 or abs(int(places)) > 28 or abs(number) >= 10**15:
        raise NotExactError
    # 1e2 and 100 are one number, and are written the same wherever they show.
    return Decimal(f"{number:f}")


def read_comparison(field: Field) -> Comparison:
    if isinstance(field.value, list):
        return Comparison("in", tuple(item.scalar() for item in field.items()))
    value = field.scalar()
    if not isinstance(value, str) or field.is_lost:
        return Comparison("==", (value,))
    try:
        return _from_text(value, field)
    except UnknownParameterError as error:
        if str(error) not in field.findings.parameters:
            field.refuse(NO_PARAMETER, among=field.findings.parameters, name=str(error))
    except ValueError as error:
        field.refuse(f"{error}; {FORMS}")
    return Comparison("==", (value,))


def _from_text(text: str, field: Field) -> Comparison:
    if not text.strip() or len(text) > LONGEST:
        raise ValueError("is empty" if len(text) <= LONGEST else f"is longer than {LONGEST} characters")
    text = text.strip()
    for symbol in SYMBOLS:
        if text.startswith(symbol):
            return _ordered(Comparison(symbol, (_operand(text[len(symbol) :], field),)))
    if text[0] in "<>=!":
        raise ValueError("starts with no known comparison")
    if text.startswith(("in ", "in[")):
        return Comparison("in", tuple(_operand(part, field) for part in _unbracketed(text[2:]).split(",")))
    low, dots, high = text.partition("..")
    if dots:
        return _ordered(Comparison("range", (_operand(low, field), _operand(high, field))))
    # Without an operator the value is what the file says it is: a text that looks like a number stays a text.
    return Comparison("==", (text,))


def _ordered(comparison: Comparison) -> Comparison:
    if comparison.operator not in ORDERINGS:
        return comparison
    numbers = [operand for operand in comparison.operands if isinstance(operand, Decimal)]
    if len(numbers) < len(comparison.operands):
        raise ValueError(f"{'a range' if comparison.operator == 'range' else comparison.operator} compares with numbers only")
    if numbers != sorted(numbers):
        raise ValueError(f"the range is empty: {numbers[0]} is above {numbers[1]}")
    return comparison


def _unbracketed(text: str) -> str:
    text = text.strip()
    if text.startswith("[") != text.endswith("]"):
        raise ValueError("has one bracket without the other")
    return text[1:-1] if text.startswith("[") else text


def _operand(text: str, field: Field) -> Scalar:
    text = text.strip()
    number = exact_number(text)
    if number is not None:
        return number
    if text in {"true", "false"}:
        return text == "true"
    named = REFERENCE.fullmatch(text)
    if named:
        value = field.findings.parameters.get(named[1])
        if value is None:
            raise UnknownParameterError(named[1])
        return value
    quote = text[:1]
    if len(text) >= 2 and quote in {"'", '"'} and text.endswith(quote) and quote not in text[1:-1]:
        return text[1:-1]
    if WORD.fullmatch(text):
        return text
    raise ValueError("has nothing to compare with" if not text else f"{text} is neither a number nor a name")
