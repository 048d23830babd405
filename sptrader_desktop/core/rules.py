"""On which bars a strategy's conditions hold. One function serves a whole history and a single live bar: both are event tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.strategy import AllOf, AnyOf, Comparison, Condition, OutputTest, Scalar, SignalMatch, Strategy

Bools = NDArray[np.bool_]
TYPE_OUTPUT, STRENGTH_OUTPUT = "crossover_type", "signal_strength"


@dataclass(frozen=True, slots=True, eq=False)
class EventTable:
    """The events of one signal on one symbol, in bar order; `metadata` holds one column per name, numbers or texts."""

    bar: NDArray[np.int64]
    type: NDArray[np.object_]
    strength: NDArray[np.float64]
    metadata: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.bar)

    def at(self, bar: int) -> "EventTable":
        """The events of one bar."""
        first, last = np.searchsorted(self.bar, [bar, bar + 1])
        columns = {name: column[first:last] for name, column in self.metadata.items()}
        return EventTable(self.bar[first:last], self.type[first:last], self.strength[first:last], columns)

    def output(self, name: str) -> NDArray[Any] | None:
        """The column an output name means; None when the signal has no such output."""
        if name == TYPE_OUTPUT:
            return self.type
        return self.strength if name == STRENGTH_OUTPUT else self.metadata.get(name)


@dataclass(frozen=True, slots=True, eq=False)
class RuleHits:
    """For one symbol: row r, column b is true when rule r of the strategy holds on bar b."""

    entries: Bools
    exits: Bools


def rule_hits(strategy: Strategy, events: Mapping[str, EventTable], bars: int) -> RuleHits:
    entries, exits = conditions(strategy)
    return RuleHits(_rows(entries, events, bars), _rows(exits, events, bars))


def conditions(strategy: Strategy) -> tuple[list[Condition], list[Condition]]:
    """Of its entries and of its exits: all that hits depend on beside the events."""
    return [rule.when for rule in strategy.entries], [rule.when for rule in strategy.exits.rules]


def _rows(conditions: Sequence[Condition], events: Mapping[str, EventTable], bars: int) -> Bools:
    if not conditions:
        return np.zeros((0, bars), np.bool_)
    return np.stack([holds(condition, events, bars) for condition in conditions])


def holds(condition: Condition, events: Mapping[str, EventTable], bars: int) -> Bools:
    """Per bar: is the condition true? A signal without an event on a bar is false there, so `not` of it is true."""
    if isinstance(condition, SignalMatch):
        table, found = events[condition.signal], np.zeros(bars, np.bool_)
        found[table.bar[passing(condition, table)]] = True
        return found
    if isinstance(condition, AllOf):
        return ~_any_of([~holds(part, events, bars) for part in condition.conditions], bars)
    if isinstance(condition, AnyOf):
        return _any_of([holds(part, events, bars) for part in condition.conditions], bars)
    return ~holds(condition.condition, events, bars)


def _any_of(parts: Sequence[Bools], bars: int) -> Bools:
    found = np.zeros(bars, np.bool_)
    for part in parts:
        found |= part
    return found


def passing(match: SignalMatch, table: EventTable) -> Bools:
    """Per event: does it pass every test?"""
    passed = np.ones(len(table), np.bool_)
    for test in match.tests:
        passed &= test_passes(test, table)
    return passed


def test_passes(test: OutputTest, table: EventTable) -> Bools:
    column = table.output(test.output)
    if column is None:
        return np.zeros(len(table), np.bool_)
    if column.dtype.kind in "iuf":
        return _numbers_pass(test.comparison, column.astype(np.float64))
    texts = frozenset(operand for operand in test.comparison.operands if isinstance(operand, str))
    if test.comparison.operator in ("==", "in") and len(texts) == len(test.comparison.operands):
        # Nearly every test of every strategy; asking each value by itself took more time than the trading did.
        return np.array([isinstance(value, str) and value in texts for value in column.tolist()], np.bool_)
    return np.fromiter((value_passes(test.comparison, value) for value in column.tolist()), np.bool_, len(column))


def _numbers_pass(comparison: Comparison, column: NDArray[np.float64]) -> Bools:
    numbers = [float(operand) for operand in comparison.operands if isinstance(operand, Decimal)]
    if len(numbers) < len(comparison.operands):
        return np.full(len(column), comparison.operator == "!=")
    first = numbers[0]
    match comparison.operator:
        case ">":
            return column > first
        case ">=":
            return column >= first
        case "<":
            return column < first
        case "<=":
            return column <= first
        case "!=":
            return np.not_equal(column, first)
        case "range":
            within: Bools = (column >= first) & (column <= numbers[1])
            return within
        case _:
            found: Bools = np.isin(column, numbers)
            return found


def value_passes(comparison: Comparison, value: object) -> bool:
    """One value against a comparison; texts and numbers are never equal and never ordered against each other."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return bool(_numbers_pass(comparison, np.array([float(value)]))[0])
    same = any(_same(value, operand) for operand in comparison.operands)
    if comparison.operator in ("==", "in"):
        return same
    return comparison.operator == "!=" and not same


def _same(value: object, operand: Scalar) -> bool:
    return type(value) is type(operand) and value == operand
