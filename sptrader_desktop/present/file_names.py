"""Names of strategies, components and candle files: which are possible, what a copy is called, and the name that stands inside the file."""

import re
from collections.abc import Container

from sptrader_desktop.core.strategy_fields import IDENTIFIER
from sptrader_desktop.present.navigator import Kind

COMPONENTS = {Kind.INDICATOR, Kind.SIGNAL}
LONGEST = 100


def name_fault(kind: Kind, name: str) -> str:
    """What is wrong with a name without its ending; nothing when it is good."""
    if kind in COMPONENTS and not IDENTIFIER.fullmatch(name):
        return "a component's name has letters, digits and _ only, and does not start with a digit"
    if kind is Kind.STRATEGY and not re.fullmatch(r"[a-z0-9_]{1,64}", name):
        return "a strategy's name has 1 to 64 small letters, digits and _"
    if not name.strip() or len(name) > LONGEST or not re.fullmatch(r"[\w\-. ]+", name) or name.startswith("."):
        return f"a file's name has letters, digits, _, - and dots, {LONGEST} of them at the most"
    return ""


def copy_name(name: str, taken: Container[str]) -> str:
    """`name_copy`, or with the first number that is free."""
    first = f"{re.sub(r'_copy[0-9]*$', '', name)}_copy"
    return next(free for number in range(1, 100_000) if (free := first if number == 1 else f"{first}{number}") not in taken)


def renamed_text(kind: Kind, text: str, old: str, new: str) -> str:
    """The file's own word for its name follows, where it is the file's name; everything else stays."""
    if kind is Kind.STRATEGY:
        return re.sub(rf"(?m)^(name:[ \t]*){re.escape(old)}(?=[ \t]*(?:#.*)?$)", rf"\g<1>{new}", text, count=1)
    if kind in COMPONENTS:
        return re.sub(rf"""((["'])name\2[ \t]*:[ \t]*(["'])){re.escape(old)}(?=\3)""", rf"\g<1>{new}", text, count=1)
    return text
