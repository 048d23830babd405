"""Indicators that a person puts on a chart: what each is called, how its parameters stand in a form, and sets of them as templates."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sptrader_desktop.core.components import ComponentSpec
from sptrader_desktop.core.strategy import Scalar
from sptrader_desktop.present.strategy_form import FormRow
from sptrader_desktop.present.strategy_numbers import accepted, sensible_range
from sptrader_desktop.present.strategy_schema import TRUTHS
from sptrader_desktop.present.strategy_text import plain_number


@dataclass(frozen=True, slots=True)
class ChartIndicator:
    """`params` holds all of its parameters."""

    dotted: str
    params: Mapping[str, Scalar] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """`SMA (20)`: the numbers say the most."""
        name = self.dotted.rpartition(".")[2].upper()
        shown = ", ".join(plain_number(value) for value in self.params.values() if isinstance(value, Decimal))
        return f"{name} ({shown})" if shown else name

    def as_json(self) -> dict[str, Any]:
        numbers = {name: str(value) for name, value in self.params.items() if isinstance(value, Decimal)}
        return {"indicator": self.dotted, "numbers": numbers, "others": {k: v for k, v in self.params.items() if k not in numbers}}


Templates = Mapping[str, tuple[ChartIndicator, ...]]


def templates_written(templates: Templates) -> Any:
    return {name: [one.as_json() for one in indicators] for name, indicators in templates.items()}


def templates_read(held: Any) -> Templates:
    return {str(name): tuple(indicator_read(one) for one in indicators) for name, indicators in held.items()}


def indicator_read(held: Any) -> ChartIndicator:
    others = held["others"]
    if not isinstance(held["indicator"], str) or not all(isinstance(value, str | bool) for value in others.values()):
        raise ValueError("it does not say which indicator with which parameters")
    try:
        numbers = {str(name): Decimal(value) for name, value in held["numbers"].items()}
    except ArithmeticError:
        raise ValueError("a parameter is no number") from None
    return ChartIndicator(held["indicator"], numbers | others)


def fitted(indicator: ChartIndicator, spec: ComponentSpec) -> ChartIndicator:
    """As its component, which may have changed since, knows its parameters now: in its order, new ones at their default."""
    known = {name: value for name, value in indicator.params.items() if name in spec.parameters}
    return ChartIndicator(spec.dotted, spec.given({name: value for name, value in known.items() if not spec.parameters[name].fault(value)}))


def indicator_rows(spec: ComponentSpec, params: Mapping[str, Scalar]) -> tuple[FormRow, ...]:
    rows = []
    for name, parameter in spec.parameters.items():
        value = params[name]
        if isinstance(value, Decimal):
            quantity = accepted(parameter)
            step = sensible_range(value, quantity)[2]
            rows.append(FormRow((name,), spec.name, name, value, quantity, step=step))
        else:
            choices = TRUTHS if isinstance(value, bool) else parameter.choices
            rows.append(FormRow((name,), spec.name, name, value, choices=choices))
    return tuple(rows)
