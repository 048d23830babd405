"""What may stand in a line of the broker's protocol, value by value: each reader gives the value or says which rule it breaks."""

from collections.abc import Callable
from typing import Any

from sptrader_desktop.core.broker_messages import What

LONGEST_TEXT = 4096
BIGGEST = 2**63 - 1
MOST_DIGITS = 19

Read = Callable[[Any], Any]


class BrokerLineError(ValueError):
    """Says which rule the line breaks."""


def whole(value: Any) -> int:
    if type(value) is not int or not -BIGGEST <= value <= BIGGEST:
        raise BrokerLineError("not an integer of 64 bits")
    return value


def text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise BrokerLineError(f"not a text of at most {LONGEST_TEXT} signs")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BrokerLineError("not a text that UTF-8 can hold") from None
    return value


def name(value: Any) -> str:
    if not text(value):
        raise BrokerLineError("an empty text")
    return str(value)


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise BrokerLineError("neither true nor false")
    return value


def number(value: Any) -> int:
    """A position's; in exactly one writing."""
    if not isinstance(value, str) or len(value) > MOST_DIGITS or not (value.isascii() and value.isdigit()) or str(int(value)) != value:
        raise BrokerLineError("not the number of a position as text")
    return whole(int(value))


def count(value: Any) -> int:
    if whole(value) < 0:
        raise BrokerLineError("negative")
    return int(value)


def some(value: Any) -> int:
    if whole(value) <= 0:
        raise BrokerLineError("not above zero")
    return int(value)


def one_of(*choices: object) -> Read:
    def read(value: Any) -> Any:
        if not any(type(value) is type(choice) and value == choice for choice in choices):
            raise BrokerLineError(f"none of {', '.join(map(str, choices))}")
        return value

    return read


def or_none(read: Read) -> Read:
    return lambda value: None if value is None else read(value)


def level_or_null(value: Any) -> int:
    return -1 if value is None else count(value)


def expiry(value: Any) -> int:
    return -1 if type(value) is int and value == -1 else some(value)


def list_of(read: Read) -> Read:
    def read_all(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise BrokerLineError("not a list")
        return tuple(read(item) for item in value)

    return read_all


def what_of(value: Any) -> What:
    try:
        return What(value)
    except ValueError:
        raise BrokerLineError("an unknown kind of transaction") from None
