"""Which rules of a strategy hold on one live bar: core's own answer, over what was heard of that bar alone."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.rules import EventTable, RuleHits, rule_hits
from sptrader_desktop.core.strategy import Condition, Strategy
from sptrader_desktop.runtime.live.parts import EvaluatedSet, Signal
from sptrader_desktop.runtime.live.strategy_evaluation import named_signals, signals_of

Bools = NDArray[np.bool_]


def rules_that_hold(strategy: Strategy, found: EvaluatedSet) -> RuleHits:
    """One column, the bar. A rule that names a signal of which nothing is known does not hold, whatever it says of that signal."""
    named = named_signals(strategy)
    hits = rule_hits(strategy, {name: table_of(found.signals.get(name, ())) for name in named}, 1)
    known = named - found.missing
    entries, exits = [rule.when for rule in strategy.entries], [rule.when for rule in strategy.exits.rules]
    return RuleHits(_known(hits.entries, entries, known), _known(hits.exits, exits, known))


def table_of(signals: Sequence[Signal]) -> EventTable:
    """The events of one signal on one bar, which is bar 0."""
    events = [signal for signal in signals if signal.is_event]
    names = sorted({name for event in events for name in event.metadata})
    return EventTable(
        np.zeros(len(events), np.int64),
        np.array([event.kind for event in events], object),
        np.array([event.strength for event in events], np.float64),
        {name: _column([event.metadata for event in events], name) for name in names},
    )


def _column(metadata: Sequence[Mapping[str, float | str]], name: str) -> NDArray[np.float64] | NDArray[np.object_]:
    """What an event does not say passes no test: NaN among numbers, nothing among texts."""
    values = [found.get(name) for found in metadata]
    if any(isinstance(value, str) for value in values):
        return np.array(values, object)
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _known(rows: Bools, conditions: Sequence[Condition], known: frozenset[str]) -> Bools:
    return rows & np.array([[known.issuperset(signals_of(condition))] for condition in conditions], np.bool_).reshape(len(conditions), 1)
