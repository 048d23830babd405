"""Instruments and financing rates from a person's YAML file, over the catalogue; all problems at once, with line and column.

An instruments file adds symbols or changes what is named of known ones; a financing file holds nothing but yearly rates:

    instruments:                                           EURUSD: {long: -0.025, short: 0.01}
      US30: {base: US30, quote: USD, tick: 0.1, pip: 1,
             step: 0.1, lot: 1, long_rate: -0.02, short_rate: -0.01, charged_every_day: false}
      EURUSD: {long_rate: -0.025}

`tick` is the smallest move of the price, `step` of the quantity, `lot` is in units; rates are fractions a year, positive is received.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode

from sptrader_desktop.core.errors import DataError, Problem
from sptrader_desktop.core.instruments import CATALOGUE, Instrument
from sptrader_desktop.core.money import INT64_MAX, exact_multiple, fixed

_LARGEST_FILE = 65_536
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.]{1,15}", re.ASCII)
_BASE = re.compile(r"[A-Z0-9]{2,12}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3,5}", re.ASCII)
_SIZES = ("tick", "pip", "step", "lot")
_REQUIRED = ("base", "quote", *_SIZES)
_KEYS = (*_REQUIRED, "long_rate", "short_rate", "charged_every_day")
_SMALLEST, _LARGEST = Decimal("0.00000001"), Decimal(1_000_000_000)


def load_instruments(path: Path, instruments: Mapping[str, Instrument] = CATALOGUE) -> dict[str, Instrument]:
    """`instruments` with the file's over them."""
    return _merged(path, instruments, _instruments_section, _instrument)


def load_financing(path: Path, instruments: Mapping[str, Instrument] = CATALOGUE) -> dict[str, Instrument]:
    """`instruments` with the file's rates."""
    return _merged(path, instruments, _mapping, _with_rates)


@dataclass(slots=True)
class _Report:
    """Gathers what is wrong, so that the file is edited once."""

    problems: list[Problem] = field(default_factory=list)

    def add(self, path: tuple[str, ...], node: Any, rule: str, *, nearest: str | None = None) -> None:
        text = node.value if isinstance(node, ScalarNode) else ""
        value = text[:60] if text and text not in path[-1:] else None  # a key's own text is in the path already
        mark = node.start_mark
        self.problems.append(Problem(path, value, rule, nearest, mark.line + 1, mark.column + 1))


@dataclass(frozen=True, slots=True)
class _Entry:
    """One symbol's mapping in the file."""

    symbol: str
    key: Any
    values: dict[str, tuple[Any, Any]]
    known: Mapping[str, Instrument]
    report: _Report

    def add(self, key: str, rule: str) -> None:
        self.report.add((self.symbol, key), self.values[key][1], rule)


def _merged(path: Path, instruments: Mapping[str, Instrument], section: Any, build: Any) -> dict[str, Instrument]:
    report = _Report()
    found = dict(instruments)
    for symbol, (key, node) in section(_root(path), (), report).items():
        entry = _Entry(symbol, key, _mapping(node, (symbol,), report), instruments, report)
        instrument = build(entry)
        if instrument is not None:
            found[symbol] = instrument
    if report.problems:
        in_file_order = sorted(report.problems, key=lambda each: (each.line or 0, each.column or 0))
        raise DataError("\n".join(f"{path}:{each.line}:{each.column}: {each.sentence()}" for each in in_file_order))
    return found


def _root(path: Path) -> Any:
    """The file as nodes: scalars stay text, so that a number becomes a Decimal without passing through a float."""
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_FILE + 1)
        if len(text) > _LARGEST_FILE:
            raise DataError(f"{path}: it is larger than {_LARGEST_FILE} bytes: split it")
        root = YAML(pure=True).compose(text.decode("utf-8-sig"))
    except MarkedYAMLError as error:
        mark = error.problem_mark
        at = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise DataError(f"{path}{at}: this is not YAML ({error.problem}): mend the line") from error
    except RecursionError:
        raise DataError(f"{path}: it is nested too deeply: symbols and their keys are all it may hold") from None
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file: check the path") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: it is not UTF-8 text ({error.reason} at byte {error.start + 1}): save it as UTF-8") from error
    except (OSError, YAMLError) as error:
        raise DataError(f"{path}: it cannot be read ({' '.join(str(error).split())}): give a YAML file") from error
    if root is None:
        raise DataError(f"{path}: it is empty: describe at least one symbol")
    return root


def _mapping(node: Any, path: tuple[str, ...], report: _Report) -> dict[str, tuple[Any, Any]]:
    """Key text to key and value nodes."""
    if not isinstance(node, MappingNode):
        report.add(path, node, "must be a mapping of names to values")
        return {}
    found: dict[str, tuple[Any, Any]] = {}
    for key, value in node.value:
        if not isinstance(key, ScalarNode):
            report.add(path, key, "a name must be plain text")
        elif key.value in found:
            report.add((*path, key.value), key, f"is given twice, first in line {found[key.value][0].start_mark.line + 1}; keep one")
        else:
            found[key.value] = (key, value)
    return found


def _instruments_section(root: Any, path: tuple[str, ...], report: _Report) -> dict[str, tuple[Any, Any]]:
    top = _mapping(root, path, report)
    for name, (key, _) in top.items():
        if name != "instruments":
            report.add((name,), key, "is not a key of this file; put symbols under 'instruments'", nearest=_nearest(name, ["instruments"]))
    if "instruments" not in top:
        report.add((), root, "has no 'instruments'; put symbols under it")
        return {}
    return _mapping(top["instruments"][1], ("instruments",), report)


def _instrument(entry: _Entry) -> Instrument | None:
    before = len(entry.report.problems)
    known = entry.known.get(entry.symbol)
    if not _SYMBOL.fullmatch(entry.symbol):
        entry.report.add((entry.symbol,), entry.key, "a symbol is 2 to 16 capital letters, digits and dots")
    _refuse_unknown_keys(entry, _KEYS)
    missing = [name for name in _REQUIRED if name not in entry.values]
    if known is None and missing and len(entry.report.problems) == before:
        rule = f"is a new symbol and needs {', '.join(missing)} too"
        entry.report.add((entry.symbol,), entry.key, rule, nearest=_nearest(entry.symbol, entry.known))
    values = {name: _value(entry, name) for name in _KEYS if name in entry.values}
    if len(entry.report.problems) > before:
        return None
    instrument = replace(known, **values) if known else Instrument(symbol=entry.symbol, **values)
    for rule in _broken_rules(instrument):
        entry.report.add((entry.symbol,), entry.key, rule)
    return instrument


def _with_rates(entry: _Entry) -> Instrument | None:
    known = entry.known.get(entry.symbol)
    if known is None:
        rule = "is not a known symbol; define it in an instruments file"
        entry.report.add((entry.symbol,), entry.key, rule, nearest=_nearest(entry.symbol, entry.known))
        return None
    _refuse_unknown_keys(entry, ("long", "short"))
    missing = [name for name in ("long", "short") if name not in entry.values]
    if missing:
        entry.report.add((entry.symbol,), entry.key, f"needs {' and '.join(missing)} too; write 0 for a side without financing")
    rates: dict[str, Any] = {f"{name}_rate": _rate(entry, name) for name in ("long", "short") if name in entry.values}
    return replace(known, **rates)


def _refuse_unknown_keys(entry: _Entry, keys: tuple[str, ...]) -> None:
    for name, (key, _) in entry.values.items():
        if name not in keys:
            entry.report.add((entry.symbol, name), key, f"is not a key; the keys are {', '.join(keys)}", nearest=_nearest(name, keys))


def _value(entry: _Entry, name: str) -> Any:
    if name in ("long_rate", "short_rate"):
        return _rate(entry, name)
    if name in _SIZES:
        return _size(entry, name)
    text = _text(entry, name)
    if name == "charged_every_day":
        if text not in ("true", "false"):
            entry.add(name, "must be true or false")
        return text == "true"
    if name == "base" and not _BASE.fullmatch(text):
        entry.add(name, "must be 2 to 12 capital letters or digits")
    if name == "quote" and not _CURRENCY.fullmatch(text):
        entry.add(name, "must be a currency of 3 to 5 capital letters, such as USD")
    return text


def _text(entry: _Entry, name: str) -> str:
    node = entry.values[name][1]
    return str(node.value) if isinstance(node, ScalarNode) else ""


def _number(entry: _Entry, name: str) -> Decimal:
    """Not-a-number where the text is none; whoever asked compares it with a range and reports."""
    try:
        number = Decimal(_text(entry, name))
    except InvalidOperation:
        return Decimal("nan")
    return number if number.is_finite() else Decimal("nan")


def _size(entry: _Entry, name: str) -> Decimal:
    number = _number(entry, name)
    if number.is_nan() or not _SMALLEST <= number <= _LARGEST:
        entry.add(name, f"must be a number above zero, from {_SMALLEST:f} to {_LARGEST:f}")
    return number


def _rate(entry: _Entry, name: str) -> Decimal:
    number = _number(entry, name)
    if number.is_nan() or abs(number) > 1:
        entry.add(name, "must be a fraction a year from -1 to 1, such as -0.025 for 2.5 % paid")
        return number
    try:
        fixed(number)
    except ValueError:
        entry.add(name, "must have at most eight decimals")
    return number


def _broken_rules(instrument: Instrument) -> list[str]:
    one = Decimal(1)
    ratios = (
        (one, instrument.tick, f"tick {instrument.tick} must divide 1 without rest, as 0.1, 0.25 or 0.00001 do"),
        (instrument.pip, instrument.tick, f"pip {instrument.pip} must be a whole number of ticks of {instrument.tick}"),
        (instrument.lot, instrument.step, f"lot {instrument.lot} must be a whole number of steps of {instrument.step}"),
        (
            instrument.tick * instrument.step * 100_000_000,
            one,
            f"tick {instrument.tick} times step {instrument.step} must be a whole number of 0.00000001",
        ),
    )
    return [rule for value, unit, rule in ratios if not _is_multiple(value, unit)]


def _is_multiple(value: Decimal, unit: Decimal) -> bool:
    try:
        return 1 <= exact_multiple(value, unit) <= INT64_MAX
    except ValueError:
        return False


def _nearest(name: str, names: Any) -> str | None:
    return next(iter(get_close_matches(name, names, n=1)), None)
