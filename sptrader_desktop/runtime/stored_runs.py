"""A stored run, run again and compared to the byte. What went in is compared first: it names the cause, the result only the effect."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.results import Result
from sptrader_desktop.ports import FinishedRun, RunReader, StoredRun
from sptrader_desktop.runtime.recipe import Recipe

# A stored run to its result now and the document of that.
Rerun = Callable[[StoredRun], tuple[Result, bytes]]
Json = Any
CANDLES = {"data": "candles", "rates": "rates", "finer": "finer candles"}  # how the document calls them, and a person
REST_OF_INPUTS = ("parameters", "terms", "instruments")
_READ: WeakKeyDictionary[StoredRun, Json] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Verification:
    """`causes` are what is different in what went in, `difference` the first one in what came out; `notes` change nothing. Of other candles
    it is another run, whatever came out."""

    run_id: str
    causes: tuple[str, ...]
    difference: str | None
    notes: tuple[str, ...] = ()
    is_of_other_candles: bool = False

    @property
    def is_same(self) -> bool:
        return not self.causes and self.difference is None

    def sentences(self) -> tuple[str, ...]:
        if self.is_same:
            return (f"{self.run_id}: the same to the byte", *self.notes)
        if not self.causes:
            why = "nothing that goes into a run has changed, so this is a defect: please report it"
            return (f"{self.run_id}: {self.difference}", why, *self.notes)
        return (*self.causes, f"{self.run_id}: {self.difference or 'the result itself is the same'}", *self.notes)


def verify_run(store: RunReader, asked: str, rerun: Rerun) -> Verification:
    stored = store.load(asked)
    read_document(stored)
    return compared(store, stored, *rerun(stored))


def compared(store: RunReader, stored: StoredRun, result: Result, document: bytes) -> Verification:
    """`result` and `document` are of the same run, made again."""
    before = read_document(stored)
    now = before if document == stored.document else json.loads(document)
    causes = tuple(causes_between(before["manifest"], now["manifest"]))
    difference = _first_difference(before, now) or _table_difference(store, stored, result, now["manifest"])
    if difference is None and not causes and document != stored.document:
        difference = "the numbers are the same, but the document is written in another way"
    notes = tuple(_notes(Recipe.from_json(stored.recipe), stored))
    return Verification(stored.id, causes, difference, notes, _fingerprints(before["manifest"]) != _fingerprints(now["manifest"]))


def read_document(stored: StoredRun) -> Json:
    """Once: it is large, and several ask for it."""
    if stored in _READ:
        return _READ[stored]
    try:
        document = json.loads(stored.document)
    except ValueError as error:
        raise RunError(f"the document of run {stored.id} is not JSON ({error}): run its backtest again") from None
    if not isinstance(document, dict) or "manifest" not in document:
        raise RunError(f"the document of run {stored.id} has no manifest: run its backtest again")
    _READ[stored] = document
    return document


def _notes(recipe: Recipe, stored: StoredRun) -> Iterator[str]:
    """The stored text is what ran; whoever edited the file since should know."""
    try:
        now = Path(recipe.strategy).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        yield f"{recipe.strategy} cannot be read any more; the stored text was run"
        return
    if now != stored.strategy_text:
        yield f"{recipe.strategy} was edited since; the stored text was run"


# What went in


def _fingerprints(manifest: Json) -> list[list[str]]:
    return [[item["fingerprint"] for item in manifest[kind]] for kind in CANDLES]


def causes_between(before: Json, now: Json) -> Iterator[str]:
    """Of two manifests: what is another in what went in."""
    if before == now:
        return
    if before["strategy"] != now["strategy"]:
        yield "the strategy text is another one"
    yield from _components(before["components"], now["components"])
    for kind, what in CANDLES.items():
        yield from _candles(what, before[kind], now[kind])
    for kind in REST_OF_INPUTS:
        found = _walk(kind, before[kind], now[kind])
        if found:
            yield found
    yield from _program(before, now)


def _components(before: Json, now: Json) -> Iterator[str]:
    for name in sorted(set(before) | set(now)):
        if name not in before or name not in now:
            yield f"component {name} is {'used only now' if name in now else 'not used any more'}"
        elif before[name]["sha256"] != now[name]["sha256"]:
            yield f"component {name}, or an indicator it requires, was edited"
        elif before[name] != now[name]:
            yield f"component {name} is given other parameters"


def _candles(what: str, before: Json, now: Json) -> Iterator[str]:
    if len(before) != len(now):
        yield f"{what}: {len(before)} sources then, {len(now)} now"
        return
    for old, new in zip(before, now, strict=True):
        if old == new:
            continue
        name = f"{what} of {old['symbol']} {old['timeframe']} ({new['file']})"
        if old["fingerprint"] == new["fingerprint"]:
            yield f"{name}: {_walk('', old, new)}"
        elif old["rows"] != new["rows"]:
            yield f"{name} were changed: {old['rows']:,} bars then, {new['rows']:,} now"
        else:
            yield f"{name} were changed: as many bars, other values"


def _program(before: Json, now: Json) -> Iterator[str]:
    old, new = before["engine"], now["engine"]
    if old["version"] != new["version"]:
        yield f"the engine was updated: {old['version']} then, {new['version']} now"
    elif old != new:
        yield f"the source of the engine was edited; it still calls itself {new['version']}"
    for name, version in sorted(before["versions"].items()):
        if now["versions"].get(name) != version:
            yield f"{name} was updated: {version} then, {now['versions'].get(name)} now"


# What came out


def _first_difference(before: Json, now: Json) -> str | None:
    """Trades say more than the sums made of them, so they come first."""
    if before == now:
        return None
    names = sorted((set(before) | set(now)) - {"manifest"}, key=lambda name: (name != "completed_trades", name))
    found = (_walk(name, before.get(name), now.get(name)) for name in names)
    return next(filter(None, found), None)


def _walk(path: str, before: Json, now: Json) -> str | None:
    """The first place in which two documents differ, with both values."""
    if before == now:
        return None
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted(set(before) | set(now)):
            found = _walk(f"{path}.{key}".lstrip("."), before.get(key), now.get(key))
            if found:
                return found
    if isinstance(before, list) and isinstance(now, list):
        for i, (old, new) in enumerate(zip(before, now, strict=False)):
            found = _walk(f"{path}[{i}]", old, new)
            if found:
                return found
        return f"{path} has {len(before):,} rows then, {len(now):,} now"
    return f"{path} was {_shown(before)}, is now {_shown(now)}"


def _shown(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."


def _table_difference(store: RunReader, stored: StoredRun, result: Result, manifest: Mapping[str, Json]) -> str | None:
    run = FinishedRun(result.outcome, b"", manifest, stored.strategy_text, stored.recipe)
    for name, now in store.tables(run).items():
        before = stored.tables.get(name)
        if before == now:
            continue
        if before is None:
            return f"table {name} was not stored then"
        found = _walk("", store.rows(before), store.rows(now))
        if found:
            return f"table {name}: {found}"
    return None
