"""The terms of a paper account as a JSON file: the core writes it, the broker's process reads it and refuses what it does not know."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from decimal import Decimal, DecimalException
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.money import FRACTION_ONE
from sptrader_desktop.runtime.live.paper_prices import Frictions
from sptrader_desktop.runtime.live.paper_terms import PaperTerms
from sptrader_desktop.runtime.whole_files import write_whole

AGAIN = "correct it, or take the file away and let the program write it again"


def write_terms(path: Path, terms: PaperTerms) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, terms_text(terms).encode())


def terms_text(terms: PaperTerms) -> str:
    return json.dumps(asdict(terms), default=str, indent=1, ensure_ascii=False) + "\n"


def read_terms(path: Path) -> tuple[PaperTerms, str]:
    """And the text they were read from."""
    try:
        text = path.read_text(encoding="utf-8")
        return terms_in(text), text
    except OSError as error:
        raise DataError(f"{path}: the paper account's terms cannot be read ({error.strerror}): {AGAIN}") from None
    except ValueError as error:
        raise DataError(f"{path}: {error}: {AGAIN}") from None


def kept_frictions(path: Path) -> Frictions:
    """How the broker errs is its owner's, who writes it there: whatever else of the terms a session brings."""
    return read_terms(path)[0].frictions if path.exists() else Frictions()


def terms_in(text: str) -> PaperTerms:
    """ValueError says what is wrong."""
    terms: PaperTerms = _built(PaperTerms, json.loads(text, parse_float=_no_float, parse_constant=_no_float), "terms")
    _refuse_impossible(terms.frictions)
    return terms


def _refuse_impossible(given: Frictions) -> None:
    if given.latency_us < 0:
        raise ValueError("terms.frictions.latency_us is below 0")
    for name in ("partial", "least", "reject"):
        if not 0 <= getattr(given, name) <= FRACTION_ONE:
            raise ValueError(f"terms.frictions.{name} is a share in 1e-8, from 0 to {FRACTION_ONE}")
    if not given.reasons:
        raise ValueError("terms.frictions.reasons is empty: a refusal has a reason")


def _no_float(text: str) -> None:
    raise ValueError(f"{text} is a float: write it as text")


def _built(kind: Any, found: Any, where: str) -> Any:
    if is_dataclass(kind):
        return _object(kind, found, where)
    parts = get_args(kind)
    if get_origin(kind) is tuple:
        return tuple(_built(parts[0], item, f"{where}[{n}]") for n, item in enumerate(_typed(found, list, where)))
    if get_origin(kind) is not None and issubclass(get_origin(kind), Mapping):
        return {name: _built(parts[1], item, f"{where}.{name}") for name, item in _typed(found, dict, where).items()}
    if kind is Decimal:
        return _decimal(found, where)
    return _typed(found, kind, where)


def _object(kind: Any, found: Any, where: str) -> Any:
    hints, given = get_type_hints(kind), _typed(found, dict, where)
    needed = {item.name for item in fields(kind) if item.default is MISSING and item.default_factory is MISSING}
    wrong = (given.keys() - hints.keys()) | (needed - given.keys())
    if wrong:
        raise ValueError(f"{where}: {', '.join(sorted(wrong))} is missing or unknown")
    return kind(**{name: _field(hints[name], value, f"{where}.{name}") for name, value in given.items()})


def _field(kind: Any, found: Any, where: str) -> Any:
    if get_origin(kind) is Literal:
        if found not in get_args(kind):
            raise ValueError(f"{where}: none of {', '.join(get_args(kind))}")
        return found
    return _built(kind, found, where)


def _typed(found: Any, kind: type, where: str) -> Any:
    if type(found) is not kind:
        raise ValueError(f"{where}: not a {kind.__name__}")
    return found


def _decimal(found: Any, where: str) -> Decimal:
    try:
        value = Decimal(_typed(found, str, where))
    except DecimalException:
        value = Decimal("NaN")
    if not value.is_finite():
        raise ValueError(f"{where}: not a decimal number")
    return value
