"""Names of strategies, components and candle files: which are possible, what a copy is called, and the name that stands inside the file."""

import re
from collections import Counter
from collections.abc import Container, Sequence
from pathlib import Path

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.strategy_fields import IDENTIFIER
from sptrader_desktop.core.timeframes import parse_timeframe
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
    if kind is Kind.DATASET and not _says_candles(name):
        return "a candle file's name begins with symbol and timeframe, such as EURUSD_1h_2024; the symbol is letters and digits"
    return ""


def told_apart(paths: Sequence[Path]) -> list[str]:
    """Their names without ending; of those that share one as much of what leads to it as tells them apart."""
    twice = Counter(path.with_suffix("") for path in paths)
    whole = [(*path.parent.parts, path.name if twice[path.with_suffix("")] > 1 else path.stem) for path in paths]
    names = [parts[-1:] for parts in whole]
    while (shared := {name for name, count in Counter(names).items() if count > 1}) and len(set(whole)) == len(whole):
        names = [parts[-len(name) - 1 :] if name in shared else name for name, parts in zip(names, whole, strict=True)]
    return [Path(*name).as_posix() for name in names]


def _says_candles(name: str) -> bool:
    symbol, _, rest = name.partition("_")
    try:
        parse_timeframe(rest.partition("_")[0])
    except DataError:
        return False
    return symbol.isascii() and symbol.isalnum()


def copy_name(name: str, taken: Container[str]) -> str:
    """`name_copy`, or with the first number that is free."""
    first = f"{re.sub(r'_copy[0-9]*$', '', name)}_copy"
    return next(free for number in range(1, 100_000) if (free := first if number == 1 else f"{first}{number}") not in taken)


def renamed_text(kind: Kind, text: str, old: str, new: str) -> str:
    """The file's own word for its name follows, where it is the file's name; everything else stays."""
    if kind is Kind.STRATEGY:
        return re.sub(rf"""(?m)^(\ufeff?name:[ \t]*(["']?)){re.escape(old)}(?=\2[ \t]*(?:#.*)?\r?$)""", rf"\g<1>{new}", text, count=1)
    if kind in COMPONENTS:
        return re.sub(rf"""((["'])name\2[ \t]*:[ \t]*(["'])){re.escape(old)}(?=\3)""", rf"\g<1>{new}", text, count=1)
    return text


def moved_text(text: str, old: Path, new: Path) -> str:
    """What is written about a file that got another name, with that name."""
    return renamed_text(Kind.INDICATOR if new.suffix == ".py" else Kind.STRATEGY, text, old.stem, new.stem)
