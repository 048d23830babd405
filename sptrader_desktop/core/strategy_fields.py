"""A cursor over plain data that collects every problem on its way, for strategy files and component metadata alike.

A question that finds no good answer records a problem and returns a harmless stand-in of the right type: whoever asks goes on
to the next question, and the result is thrown away because there are problems.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from difflib import get_close_matches
from typing import TypeAlias, TypeVar

from sptrader_desktop.core.errors import Problem
from sptrader_desktop.core.strategy import Scalar

Plain: TypeAlias = Decimal | str | bool | list["Plain"] | dict[str, "Plain"] | None
Path = tuple[str | int, ...]
Word = TypeVar("Word", bound=str)

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
REFERENCE = re.compile(r"parameters\.([A-Za-z_][A-Za-z0-9_]*)")
NO_PARAMETER = "names no parameter: add it under 'parameters'"
NO_NAME = "is no name: use letters, digits and _, not starting with a digit"
DECIMALS = 8
SHOWN = 60
# Looking for the nearest name costs a millisecond; a file of a thousand wrong keys must still answer at once.
MOST_SUGGESTIONS = 50


@dataclass(frozen=True, slots=True)
class Span:
    """The numbers from `low` to `high`, each end in or out."""

    low: Decimal
    high: Decimal
    has_low: bool = False
    has_high: bool = True

    def __contains__(self, number: Decimal) -> bool:
        above = number >= self.low if self.has_low else number > self.low
        return above and (number <= self.high if self.has_high else number < self.high)

    def rule(self) -> str:
        low, high = "at least" if self.has_low else "above", "at most" if self.has_high else "below"
        return f"must be {low} {self.low} and {high} {self.high}"


def shown(value: Plain) -> str:
    """How a message quotes a value: short, on one line, and never as Python prints its types."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}" if value.is_finite() and abs(value.adjusted()) < SHOWN else str(value)
    text = value or ""
    text = text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
    return text if text.isprintable() and text.strip() else ascii(text)


@dataclass(slots=True)
class Findings:
    """All problems so far, and the parameters that `parameters.x` may name: None for one that is itself a problem."""

    parameters: Mapping[str, Scalar | None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, path: Path, value: str | None, rule: str, name: str, among: Iterable[str]) -> None:
        close = get_close_matches(name.lower(), among, 1) if name and len(self.problems) < MOST_SUGGESTIONS else []
        self.problems.append(Problem(path, value, rule, close[0] if close else None))


@dataclass(frozen=True, slots=True)
class Field:
    """A value, where it stands, and where to note what is wrong with it. `reference` is set where `parameters.x` was written."""

    path: Path
    value: Plain
    findings: Findings
    reference: str = ""
    is_lost: bool = False

    def refuse(self, rule: str, *, among: Iterable[str] = (), name: str = "") -> None:
        """`name` is what `among` holds something near to, the value itself unless given."""
        if self.is_lost:
            return
        if self.value is None:
            self.findings.add(self.path, None, "is empty: write a value or remove the key", "", ())
            return
        text = shown(self.value)
        near = name or (self.value if isinstance(self.value, str) else "")
        self.findings.add(self.path, f"{self.reference} ({text})" if self.reference else text, rule, near, among)

    def refuse_key(self, rule: str, among: Iterable[str] = ()) -> None:
        """It is not the value that is wrong but the name in front of it."""
        if not self.is_lost:
            self.findings.add(self.path, None, rule, str(self.path[-1]), among)

    def lost(self) -> "Field":
        """The same place after its problem was noted: nothing under it is reported any more."""
        return replace(self, value=None, is_lost=True)

    def child(self, key: str | int, value: Plain) -> "Field":
        inner = Field((*self.path, key), value, self.findings, is_lost=self.is_lost)
        named = REFERENCE.fullmatch(value) if isinstance(value, str) else None
        if named is None or self.is_lost:
            return inner
        resolved = self.findings.parameters.get(named[1])
        if resolved is None:
            if named[1] not in self.findings.parameters:
                inner.refuse(NO_PARAMETER, among=self.findings.parameters, name=named[1])
            return inner.lost()
        return replace(inner, value=resolved, reference=named[0])

    def number(self, span: Span) -> Decimal:
        value = self.value
        if not isinstance(value, Decimal):
            self.refuse("must be a number" + (", written without quotes" if isinstance(value, str) else ""))
        elif value not in span:
            percent = f"; {value} percent is written {value / 100}" if span.high == 1 and value >= 1 and value / 100 in span else ""
            self.refuse(span.rule() + percent)
        elif value != round(value, DECIMALS):
            self.refuse(f"has more than {DECIMALS} decimals: round it")
        else:
            return value
        return Decimal(1)

    def integer(self, low: int, high: int) -> int:
        value = self.value
        if isinstance(value, Decimal) and low <= value <= high and value == int(value):
            return int(value)
        self.refuse(f"must be a whole number from {low} to {high}")
        return low

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            self.refuse("must be true or false", among=("true", "false"))
        return self.value is True

    def text(self) -> str:
        if not isinstance(self.value, str):
            self.refuse("must be text" + ("" if isinstance(self.value, list | dict) else f': write it in quotes, "{shown(self.value)}"'))
            return ""
        if not self.value.strip():
            self.refuse("is empty: write a value or remove the key")
        return self.value

    def word(self, names: Sequence[Word]) -> Word:
        """One of `names`, which are never empty."""
        for name in names:
            if name == self.value:
                return name
        self.refuse(f"must be one of {', '.join(names)}", among=names)
        return names[0]

    def scalar(self) -> Scalar:
        if isinstance(self.value, Decimal | str | bool):
            return self.value
        self.refuse("must be a number, a text, true or false")
        return ""

    def items(self) -> list["Field"]:
        """The entries of a list; a single value is a list of one."""
        if not isinstance(self.value, list):
            return [self]
        if not self.value:
            self.refuse("is empty: write at least one entry")
        return [self.child(at, value) for at, value in enumerate(self.value)]

    def entries(self) -> dict[str, "Field"]:
        """A mapping whose keys are the writer's own names."""
        if not isinstance(self.value, dict):
            self.refuse("must be a mapping of names to values")
            return {}
        for key in self.value:
            if not IDENTIFIER.fullmatch(key):
                self.child(key, None).refuse_key(NO_NAME)
        return {key: self.child(key, value) for key, value in self.value.items()}

    def section(self, *keys: str) -> "Section":
        """A mapping in which nothing but `keys` may stand."""
        if not isinstance(self.value, dict):
            self.refuse(f"must be a mapping with {', '.join(keys)}")
            return Section(self.lost(), {})
        for key in self.value:
            if key not in keys:
                self.child(key, None).refuse_key(f"is no key here; the keys are {', '.join(keys)}", keys)
        return Section(self, {key: self.child(key, value) for key, value in self.value.items() if key in keys})


@dataclass(frozen=True, slots=True)
class Section:
    at: Field
    fields: dict[str, Field]

    def get(self, key: str) -> Field | None:
        return self.fields.get(key)

    def required(self, key: str) -> Field:
        found = self.fields.get(key)
        if found is not None:
            return found
        missing = self.at.child(key, None)
        missing.refuse_key("is missing: add it here")
        return missing.lost()

    def or_empty(self, key: str) -> Field:
        """An optional mapping, as if it were written empty."""
        return self.fields.get(key) or self.at.child(key, {})

    def flag(self, key: str) -> bool:
        found = self.fields.get(key)
        return found.flag() if found is not None else False
