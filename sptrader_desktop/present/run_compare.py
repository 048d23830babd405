"""Kept runs side by side: figures and their differences, what was asked for differently, the strategy text line by line, the candles."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.money import fixed
from sptrader_desktop.ports import RunStore
from sptrader_desktop.present.columns import Column, Columns, Kind
from sptrader_desktop.present.document_parts import document_parts
from sptrader_desktop.present.listing import codes
from sptrader_desktop.present.manifest_words import inputs_of
from sptrader_desktop.present.metric_words import METRICS, Figure, kept_figure
from sptrader_desktop.present.numbers import NONE

PARTS = ("metrics", "manifest")


@dataclass(frozen=True, slots=True, eq=False)
class KeptRun:
    """`growth` is equity over capital less one at each of `instants`, microseconds UTC."""

    id: str
    metrics: Mapping[str, Any]
    manifest: Mapping[str, Any]
    strategy_text: str
    instants: NDArray[np.int64]
    growth: NDArray[np.float64]

    @property
    def currency(self) -> str:
        return str(self.manifest["terms"]["currency"])


def read_run(store: RunStore, run_id: str) -> KeptRun:
    """Reads and checks all files of the run: not for the window's thread."""
    stored = store.load(run_id)
    try:
        parts = document_parts(stored.document, PARTS)
        metrics, manifest = (parts[name] for name in PARTS)
        capital = fixed(Decimal(manifest["terms"]["capital"]))
    except (ValueError, KeyError, TypeError):
        raise RunError(f"the document of run {stored.id} cannot be read: run its backtest again") from None
    curve = store.rows(stored.tables["equity"])
    equity = np.array(curve["equity"], np.float64)
    return KeptRun(stored.id, metrics, manifest, stored.strategy_text, np.array(curve["instant"], np.int64), equity / capital - 1)


def figures_of(run: KeptRun) -> list[Figure]:
    return [kept_figure(run.metrics, word.path) for word in METRICS]


def figure_table(runs: Sequence[KeptRun]) -> Columns:
    """A row for each figure; behind each run but the first what it has more than the first. Money of other currencies is not subtracted."""
    figures = [figures_of(run) for run in runs]
    columns = [_texts("figure", "Figure", [word.title for word in METRICS])]
    for place, run in enumerate(runs):
        values = [word.text(value, run.currency) for word, value in zip(METRICS, figures[place], strict=True)]
        columns.append(_texts(f"run{place}", run.id, values, is_right=True))
        if place:
            title = f"{_number(run)} − {_number(runs[0])}"
            columns.append(_texts(f"more{place}", title, _differences(runs[0], run, figures[0], figures[place]), is_right=True))
    return Columns(tuple(columns))


def _number(run: KeptRun) -> str:
    return run.id.partition("-")[0]


def _differences(base: KeptRun, run: KeptRun, old: Sequence[Figure], new: Sequence[Figure]) -> list[str]:
    said = []
    for word, before, now in zip(METRICS, old, new, strict=True):
        is_other_money = word.unit.value == "money" and base.currency != run.currency
        said.append(NONE if is_other_money else word.difference(now, before, run.currency))
    return said


def input_table(runs: Sequence[KeptRun]) -> Columns:
    """What went in and is not the same in all of them, a row for each; nothing where the inputs are the same."""
    flat = [dict(inputs_of(run.manifest)) for run in runs]
    names = list(dict.fromkeys(name for item in flat for name in item))
    rows = [name for name in names if len({item.get(name, NONE) for item in flat}) > 1]
    columns = [_texts("input", "Input", rows)]
    columns += [_texts(f"run{place}", run.id, [flat[place].get(name, NONE) for name in rows]) for place, run in enumerate(runs)]
    return Columns(tuple(columns))


def text_difference(base: KeptRun, run: KeptRun) -> str:
    """The strategy texts as a unified difference; nothing where they are the same."""
    lines = difflib.unified_diff(base.strategy_text.splitlines(), run.strategy_text.splitlines(), base.id, run.id, lineterm="", n=3)
    return "\n".join(lines)


def _texts(key: str, title: str, said: Sequence[str], *, is_right: bool = False) -> Column:
    places, words = codes(said)
    return Column(key, title, places, said.__getitem__, said.__getitem__, kind=Kind.WORD, words=words, is_right=is_right)
