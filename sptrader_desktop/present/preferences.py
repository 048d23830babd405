"""What a person set and where they left off, as a value; how it is written, and what is read where a file is damaged, older or newer.

A field that makes no sense falls back to its default and is named; fields that this version does not know are kept.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from sptrader_desktop.present.selection import Zone

SCHEMA = 1
MOST_RECENT = 12
Migration = Callable[[dict[str, Any]], dict[str, Any]]
# From each older schema to the next one.
MIGRATIONS: Mapping[int, Migration] = {0: lambda written: written}  # written by hand, without saying which


@dataclass(frozen=True, slots=True)
class Preferences:
    """`layouts` and `geometry` are Qt's states as `layout_file` encodes them; `strategy` and `dataset` are what was open last."""

    theme: Literal["system", "light", "dark"] = "system"
    palette: Literal["standard", "colour_blind"] = "standard"
    up_colour: Literal["green", "red"] = "green"
    scale: int = 100  # percent
    zone: Zone = Zone.UTC
    shortcuts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by the id of the action, where they differ from its own
    layout_locked: bool = False
    layout: str = ""  # the name of the one that is in use
    layouts: Mapping[str, str] = field(default_factory=dict)
    geometry: str = ""
    recent: tuple[str, ...] = ()
    done: tuple[str, ...] = ()  # in the command palette, the newest first
    strategy: str = ""
    dataset: str = ""
    texts: tuple[str, ...] = ()  # the files that were open
    front: str = ""  # which tab stood before the others
    hints: tuple[str, ...] = ()  # those that were given
    answers: Mapping[str, str] = field(default_factory=dict)  # of the backtest panel, by question
    given: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # answers that runs were made with, the newest first
    unknown: Mapping[str, Any] = field(default_factory=dict)

    def answered(self, answers: Mapping[str, str]) -> "Preferences":
        """With these answers as the ones that were given last."""
        given = {key: _first(value, self.given.get(key, ())) for key, value in answers.items() if value}
        return replace(self, given={**self.given, **given})

    def opened(self, path: Path) -> "Preferences":
        """With that file as the most recent one."""
        return replace(self, recent=_first(str(path), self.recent))


def _first(newest: str, others: Sequence[str]) -> tuple[str, ...]:
    return (newest, *(other for other in others if other != newest))[:MOST_RECENT]


@dataclass(frozen=True, slots=True)
class Reading:
    """`notices` are sentences for the person. `is_damaged`: the file holds something that would be lost if it were written again."""

    preferences: Preferences
    notices: tuple[str, ...] = ()
    is_damaged: bool = False
    is_older: bool = False
    is_newer: bool = False


def written(preferences: Preferences) -> bytes:
    known = {spec.name: getattr(preferences, spec.name) for spec in fields(Preferences) if spec.name != "unknown"}
    document = {**preferences.unknown, "schema": SCHEMA, **known, "zone": preferences.zone.value}
    return (json.dumps(document, indent=1, sort_keys=True, default=dict) + "\n").encode()


def read(content: bytes, source: str, schema: int = SCHEMA, migrations: Mapping[int, Migration] = MIGRATIONS) -> Reading:
    """`source` is the file's name, for the sentences."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return Reading(Preferences(), (f"{source} could not be read: it is no JSON. The defaults are used.",), is_damaged=True)
    found = document.get("schema", 0) if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(found, int) or isinstance(found, bool) or found < 0:
        return Reading(Preferences(), (f"{source} could not be read: it holds no settings. The defaults are used.",), is_damaged=True)
    if found > schema:
        said = f"{source} was written by a newer version (schema {found}; this one knows {schema})"
        to_do = "it is left as it is, and changes are not kept. Update the program to use it."
        return Reading(Preferences(), (f"{said}: {to_do}",), is_newer=True)
    for step in range(found, schema):
        document = migrations[step](document)
    preferences, bad = _taken(document)
    notices = tuple(f"{source}: `{name}` is {_shown(document[name])}, which makes no sense: the default is used." for name in bad)
    return Reading(preferences, notices, is_damaged=bool(bad), is_older=found < schema)


def _taken(document: dict[str, Any]) -> tuple[Preferences, list[str]]:
    good: dict[str, Any] = {}
    bad: list[str] = []
    for name, value in document.items():
        if name not in READERS:
            continue
        try:
            good[name] = READERS[name](value)
        except (ValueError, TypeError):
            bad.append(name)
    unknown = {name: value for name, value in document.items() if name not in READERS and name != "schema"}
    return Preferences(**good, unknown=unknown), bad


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}…"


# One reader for each field: the value as it is kept, or ValueError


def _one_of(*words: str) -> Callable[[Any], str]:
    def read_word(value: Any) -> str:
        if value not in words:
            raise ValueError(value)
        return str(value)

    return read_word


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _scale(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 100 <= value <= 200:
        raise ValueError(value)
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(value)
    return tuple(map(_text, value))


def _by_name(read_value: Callable[[Any], Any]) -> Callable[[Any], dict[str, Any]]:
    def read_mapping(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise TypeError(value)
        return {name: read_value(held) for name, held in value.items()}

    return read_mapping


READERS: Mapping[str, Callable[[Any], Any]] = {
    "theme": _one_of("system", "light", "dark"),
    "palette": _one_of("standard", "colour_blind"),
    "up_colour": _one_of("green", "red"),
    "scale": _scale,
    "zone": Zone,
    "shortcuts": _by_name(_texts),
    "layout_locked": _flag,
    "layout": _text,
    "layouts": _by_name(_text),
    "geometry": _text,
    "recent": _texts,
    "done": _texts,
    "strategy": _text,
    "dataset": _text,
    "texts": _texts,
    "front": _text,
    "hints": _texts,
    "answers": _by_name(_text),
    "given": _by_name(_texts),
}
