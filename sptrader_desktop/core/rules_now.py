"""Which rules hold on one bar, from the few events of that bar: the same question as `core.rules`, for whoever gets them one by one.

An array of one element costs more than the answer; `tests/test_rules_now.py` holds the two against each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from sptrader_desktop.core.rules import STRENGTH_OUTPUT, TYPE_OUTPUT, value_passes
from sptrader_desktop.core.strategy import AllOf, AnyOf, Comparison, Condition, OutputTest, SignalMatch, Strategy


@dataclass(frozen=True, slots=True)
class Event:
    type: str
    strength: float
    metadata: Mapping[str, object] = field(default_factory=dict)

    def output(self, name: str) -> object:
        """None where the event has no such output."""
        if name == TYPE_OUTPUT:
            return self.type
        return self.strength if name == STRENGTH_OUTPUT else self.metadata.get(name)


Events = Mapping[str, Sequence[Event]]


def rule_bits(strategy: Strategy, events: Events) -> tuple[int, int]:
    """Entries and exits that hold, one bit each, in file order."""
    entries = sum(holds_now(rule.when, events) << number for number, rule in enumerate(strategy.entries))
    exits = sum(holds_now(rule.when, events) << number for number, rule in enumerate(strategy.exits.rules))
    return entries, exits


def signals_named(condition: Condition) -> frozenset[str]:
    if isinstance(condition, SignalMatch):
        return frozenset({condition.signal})
    parts = condition.conditions if isinstance(condition, AllOf | AnyOf) else (condition.condition,)
    return frozenset[str]().union(*map(signals_named, parts))


def holds_now(condition: Condition, events: Events) -> bool:
    if isinstance(condition, SignalMatch):
        return any(all(_passes(test, event) for test in condition.tests) for event in events.get(condition.signal, ()))
    if isinstance(condition, AllOf):
        return all(holds_now(part, events) for part in condition.conditions)
    if isinstance(condition, AnyOf):
        return any(holds_now(part, events) for part in condition.conditions)
    return not holds_now(condition.condition, events)


def _passes(test: OutputTest, event: Event) -> bool:
    value = event.output(test.output)
    if value is None:
        return False
    if isinstance(value, float | int) and not isinstance(value, bool):
        return _number_passes(test.comparison, float(value))
    return value_passes(test.comparison, value)


def _number_passes(comparison: Comparison, value: float) -> bool:
    if not all(isinstance(operand, Decimal) for operand in comparison.operands):
        return value_passes(comparison, value)
    numbers = [float(operand) for operand in comparison.operands if isinstance(operand, Decimal)]
    match comparison.operator:
        case ">":
            return value > numbers[0]
        case ">=":
            return value >= numbers[0]
        case "<":
            return value < numbers[0]
        case "<=":
            return value <= numbers[0]
        case "!=":
            return value != numbers[0]
        case "range":
            return numbers[0] <= value <= numbers[1]
        case _:
            return value in numbers
