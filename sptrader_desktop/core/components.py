"""What a component declares about itself, and which components there are: checked metadata, with no code of theirs run."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from typing import Literal

from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.core.strategy import Scalar

ParameterType = Literal["int", "float", "str", "bool"]
# Every event has these two; the outputs a signal declares are further names in the event's metadata.
EVENT_TYPE, EVENT_STRENGTH = "crossover_type", "signal_strength"
ALL_BARS = "all"


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    type: ParameterType
    default: Scalar
    low: Decimal | None = None
    high: Decimal | None = None
    choices: tuple[str, ...] = ()

    def fault(self, value: Scalar) -> str | None:
        """The rule that `value` breaks."""
        if self.type == "bool":
            return None if isinstance(value, bool) else "must be true or false"
        if self.type == "str":
            if not isinstance(value, str):
                return "must be text"
            return f"must be one of {', '.join(self.choices)}" if self.choices and value not in self.choices else None
        if not isinstance(value, Decimal) or (self.type == "int" and value % 1 != 0):
            return "must be a whole number" if self.type == "int" else "must be a number"
        if self.low is not None and value < self.low:
            return f"must be at least {self.low}"
        return f"must be at most {self.high}" if self.high is not None and value > self.high else None


@dataclass(frozen=True, slots=True)
class RequiredIndicator:
    """An indicator under the name the signal knows it by; a text in `params` names one of the signal's own parameters."""

    name: str
    type: str
    params: dict[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ComponentSpec:
    """`dotted` is `signals.ma_crossover`; from bar number `warm_up` on (the first is 1) it no longer matters where the data starts.

    `title` is an indicator's name as people say it, `levels` are the values at which its curves are read.
    """

    dotted: str
    class_name: str
    parameters: dict[str, ParameterSpec]
    outputs: tuple[str, ...]
    warm_up: str
    required_indicators: tuple[RequiredIndicator, ...] = ()
    event_types: tuple[str, ...] = ()
    source: str = ""
    line: int = 1
    title: str = ""
    levels: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        return self.dotted.rpartition(".")[2]

    @property
    def is_signal(self) -> bool:
        return self.dotted.startswith("signals.")

    def given(self, params: Mapping[str, Scalar]) -> dict[str, Scalar]:
        """All parameters: the defaults, with `params` in their place."""
        return {name: spec.default for name, spec in self.parameters.items()} | dict(params)

    def indicator_params(self, required: RequiredIndicator, params: Mapping[str, Scalar]) -> dict[str, Scalar]:
        """What the indicator is called with when the signal is given `params`."""
        own = self.given(params)
        return {name: own[value] if isinstance(value, str) else value for name, value in required.params.items()}

    def bars_needed(self, params: Mapping[str, Scalar]) -> int | None:
        """None: all there are."""
        return warm_up_bars(self.warm_up, self.given(params))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The components of a workspace by dotted name; one that is broken stands here as its error and harms no other."""

    found: Mapping[str, ComponentSpec | ComponentError]

    @property
    def signals(self) -> list[str]:
        return [dotted for dotted in self.found if dotted.startswith("signals.")]

    @property
    def indicators(self) -> list[str]:
        return [dotted for dotted in self.found if dotted.startswith("indicators.")]

    def component(self, dotted: str) -> ComponentSpec:
        return self._known(dotted, [*self.found])

    def named(self, name: str) -> ComponentSpec:
        """By name (`ma_crossover`, `sma`) or dotted name."""
        return self._named(name, [*self.found], "components")

    def signal(self, dotted: str) -> ComponentSpec:
        return self._known(dotted, self.signals)

    def indicator(self, name: str) -> ComponentSpec:
        """By type (`sma`) or dotted name (`indicators.trend.sma`)."""
        return self._named(name, self.indicators, "indicators")

    def _named(self, name: str, names: list[str], kind: str) -> ComponentSpec:
        full = [dotted for dotted in names if name in {dotted, dotted.rpartition(".")[2]}]
        if len(full) > 1:
            raise ComponentError(f"{name} names several {kind} ({', '.join(full)}): use the full name")
        return self._known(full[0] if full else name, names)

    def _known(self, dotted: str, names: list[str]) -> ComponentSpec:
        spec = self.found.get(dotted) if dotted in names else None
        if isinstance(spec, ComponentError):
            raise spec
        if spec is None:
            near = get_close_matches(dotted, [*names, *(name.rpartition(".")[2] for name in names)], 1)
            raise ComponentError(f"the workspace has no component {dotted}" + (f"; did you mean '{near[0]}'?" if near else ""))
        return spec

    def unmet(self, spec: ComponentSpec) -> str | None:
        """What a signal asks of an indicator that the indicator does not offer."""
        for required in spec.required_indicators:
            fault = self._indicator_fault(spec, required)
            if fault:
                return f"required indicator {required.name}: {fault}"
        return None

    def _indicator_fault(self, spec: ComponentSpec, required: RequiredIndicator) -> str | None:
        try:
            indicator = self.indicator(required.type)
        except ComponentError as error:
            return str(error)
        for name, value in spec.indicator_params(required, {}).items():
            accepts = indicator.parameters.get(name)
            if accepts is None:
                return f"{required.type} has no parameter {name}, it has {', '.join(indicator.parameters)}"
            fault = accepts.fault(value)
            if fault:
                return f"{name} {fault}"
        return None


def warm_up_bars(rule: str, params: Mapping[str, Scalar]) -> int | None:
    """`all`, or whole numbers and parameters joined by + - * and max(…); ValueError for anything else."""
    if rule == ALL_BARS:
        return None
    try:
        return max(1, _whole(ast.parse(rule.strip(), mode="eval").body, params))
    except SyntaxError as error:
        raise ValueError(f"{rule} is no formula") from error


def _whole(node: ast.expr, params: Mapping[str, Scalar]) -> int:
    match node:
        case ast.Constant(value=int(number)) if not isinstance(number, bool):
            return number
        case ast.Name(id=name) if name in params:
            value = params[name]
            if isinstance(value, Decimal) and value % 1 == 0:
                return int(value)
            raise ValueError(f"{name} is no whole number")
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _whole(left, params) + _whole(right, params)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _whole(left, params) - _whole(right, params)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _whole(left, params) * _whole(right, params)
        case ast.Call(func=ast.Name(id="max"), args=args, keywords=[]) if args:
            return max(_whole(argument, params) for argument in args)
    raise ValueError(f"{ast.unparse(node)} is neither a whole number nor a parameter")
