"""What there is to open, as one tree: strategies, components by family, candles and runs; and what of it a search leaves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from pathlib import Path

from sptrader_desktop.core.components import ComponentSpec
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.ports import RunSummary
from sptrader_desktop.present.clocks import EPOCH, MICROSECOND
from sptrader_desktop.present.numbers import amount, counted
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.present.zone_clock import clock_in

MOST_RUNS = 300
MINUTE_US = 60_000_000
MIME = "application/x-sptrader-item"  # what is dragged: the kind, and in a line of its own the key


class Kind(Enum):
    STRATEGY = "strategy"
    INDICATOR = "indicator"
    SIGNAL = "signal"
    DATASET = "dataset"
    RUN = "run"


ROOTS = {
    Kind.STRATEGY: ("Strategies", "No strategies yet: make one with New Strategy."),
    Kind.SIGNAL: ("Signals", "No signals yet: make one with New Signal."),
    Kind.INDICATOR: ("Indicators", "No indicators yet: make one with New Indicator."),
    Kind.DATASET: ("Data", "No candles yet: import a file or download free history."),
    Kind.RUN: ("Runs", "No runs yet: run a backtest with F5."),
}


@dataclass(frozen=True, slots=True)
class Item:
    """`key` finds it again, `path` is its file where it is one, `groups` are the branches it hangs on, outermost first. `needs` are the
    indicators that a signal asks for, by type or dotted name.

    What was kept at some time is called by that and its name, unless a person named it: then the time stands in the note.
    """

    kind: Kind
    key: str
    name: str
    note: str = ""
    path: Path | None = None
    groups: tuple[str, ...] = ()
    fault: str = ""
    kept_at: datetime | None = None
    is_named: bool = False
    needs: frozenset[str] = frozenset()

    def said(self, zone: Zone) -> tuple[str, str]:
        """Name and note by the clock of that zone."""
        if self.kept_at is None:
            return self.name, self.note
        at = clock_in((self.kept_at - EPOCH) // MICROSECOND // MINUTE_US * MINUTE_US, zone)
        return (self.name, f"{at} {self.note}") if self.is_named else (f"{at} {self.name}", self.note)


@dataclass(frozen=True, slots=True)
class Node:
    """A branch has no item; one that is empty says in `note` how it is filled. `clock` is that of the times below it."""

    key: str
    title: str
    note: str
    kind: Kind
    item: Item | None = None
    children: tuple["Node", ...] = ()
    clock: str = ""

    def items(self) -> int:
        return (self.item is not None) + sum(child.items() for child in self.children)


def strategy_item(path: Path, folder: Path) -> Item:
    """`folder` holds all strategies; folders in it are branches."""
    inside = path.parent.relative_to(folder).parts if path.is_relative_to(folder) else ()
    return Item(Kind.STRATEGY, str(path), path.stem, path=path, groups=inside)


def component_item(dotted: str, found: ComponentSpec | ComponentError, core: Path) -> Item:
    """`core` is the folder that dotted names start in."""
    kind, *families, name = dotted.split(".")
    path = core.joinpath(kind, *families, f"{name}.py")
    fault = str(found) if isinstance(found, ComponentError) else ""
    note = "broken" if fault else ""
    needs = frozenset() if isinstance(found, ComponentError) else frozenset(required.type for required in found.required_indicators)
    return Item(Kind.SIGNAL if kind == "signals" else Kind.INDICATOR, dotted, name, note, path, tuple(families), fault, needs=needs)


def dataset_item(symbol: str, timeframe: str, path: str = "", source: str = "") -> Item:
    """A file of candles, or what a source such as the catalogue holds."""
    note = Path(path).name if path else source
    return Item(Kind.DATASET, f"{source}:{path or f'{symbol} {timeframe}'}", f"{symbol} {timeframe}", note, Path(path) if path else None)


def run_item(run: RunSummary) -> Item:
    """Called by the note that a person wrote about it, else by its time and strategy."""
    own = " ".join(run.note.split())
    note = f"{', '.join(run.symbols)} {run.timeframe}, {counted(run.trades, 'trade')}, {amount(run.pnl, signed=True)} {run.currency}"
    said = f"{run.strategy}, {note}" if own else note
    return Item(Kind.RUN, run.id, own or run.strategy, said, kept_at=run.saved_at, is_named=bool(own))


def tree(items: Iterable[Item], zone: Zone = Zone.UTC) -> tuple[Node, ...]:
    """Every root is there, also an empty one. Names in alphabetical order; runs newest first, and only so many of them."""
    by_kind: dict[Kind, list[Item]] = {kind: [] for kind in ROOTS}
    for item in items:
        by_kind[item.kind].append(item)
    by_kind[Kind.RUN] = by_kind[Kind.RUN][::-1]
    return tuple(_root(kind, members, zone) for kind, members in by_kind.items())


def filtered(nodes: Sequence[Node], search: str) -> tuple[Node, ...]:
    """What holds every word of the search in its name, its note or the branches above it; branches without such a thing go."""
    words = search.lower().split()
    return tuple(kept for node in nodes if (kept := _kept(node, words, "")) is not None) if words else tuple(nodes)


def _root(kind: Kind, members: list[Item], zone: Zone) -> Node:
    title, empty = ROOTS[kind]
    shown = members[:MOST_RUNS] if kind is Kind.RUN else sorted(members, key=lambda item: (item.name.lower(), item.key))
    children = _branches(kind, key := kind.value, shown, 0, zone)
    if not members:
        return Node(key, title, empty, kind)
    clock = zone.value if kind is Kind.RUN else ""
    count = f"{len(members):,}" if len(shown) == len(members) else f"the newest {MOST_RUNS} of {len(members):,}"
    return Node(key, title, _timed(count, clock), kind, None, children, clock)


def _timed(count: str, clock: str) -> str:
    return f"{count}, times {clock}" if clock else count


def _branches(kind: Kind, key: str, members: Sequence[Item], depth: int, zone: Zone) -> tuple[Node, ...]:
    """Branches before leaves."""
    groups: dict[str, list[Item]] = {}
    leaves: list[Node] = []
    for item in members:
        if depth < len(item.groups):
            groups.setdefault(item.groups[depth], []).append(item)
        else:
            leaves.append(Node(f"{kind.value}/{item.key}", *item.said(zone), kind, item))
    branches = [
        Node(inner := f"{key}/{name}", name, f"{len(inside):,}", kind, None, _branches(kind, inner, inside, depth + 1, zone))
        for name, inside in sorted(groups.items())
    ]
    return (*branches, *leaves)


def _kept(node: Node, words: Sequence[str], above: str) -> Node | None:
    own = f"{above} {node.title} {node.note if node.item else ''}".lower()
    if node.item is not None:
        return node if all(word in own for word in words) else None
    children = tuple(kept for child in node.children if (kept := _kept(child, words, own)) is not None)
    count = f"{sum(child.items() for child in children):,}"
    return replace(node, children=children, note=_timed(count, node.clock)) if children else None
