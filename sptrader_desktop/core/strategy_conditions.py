"""The signals a strategy depends on and the conditions it sets on their events."""

import re
from collections.abc import Mapping
from decimal import Decimal

from sptrader_desktop.core.components import EVENT_STRENGTH, EVENT_TYPE, Catalogue, ComponentSpec
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.core.strategy import AllOf, AnyOf, Condition, Not, OutputTest, SignalMatch, SignalUse
from sptrader_desktop.core.strategy_comparisons import read_comparison
from sptrader_desktop.core.strategy_fields import Field, Section

# What the workspace says about each signal a condition may name; None where there is no catalogue or the component is broken.
Signals = Mapping[str, ComponentSpec | None]
GROUPS = ("any", "all", "not")


def read_component_name(field: Field, kind: str, catalogue: Catalogue | None) -> tuple[str, ComponentSpec | None]:
    """`kind` is `signals` or `indicators`."""
    name = field.text()
    if not name or field.is_lost:
        return "", None
    if not re.fullmatch(kind + r"(\.[A-Za-z_][A-Za-z0-9_]{0,63}){1,8}", name):
        field.refuse(f"must be a component's full name that starts with '{kind}.'", among=_names(kind, catalogue))
        return name, None
    if catalogue is None:
        return name, None
    if name not in _names(kind, catalogue):
        field.refuse("is not in the workspace", among=_names(kind, catalogue))
        return "", None
    try:
        return name, catalogue.signal(name) if kind == "signals" else catalogue.indicator(name)
    except ComponentError as error:
        field.refuse(f"is broken: {error}")
        return name, None


def _names(kind: str, catalogue: Catalogue | None) -> list[str]:
    if catalogue is None:
        return []
    return catalogue.signals if kind == "signals" else catalogue.indicators


def read_signals(field: Field, catalogue: Catalogue | None) -> tuple[tuple[SignalUse, ...], Signals]:
    uses: list[SignalUse] = []
    known: dict[str, ComponentSpec | None] = {}
    for item in field.items():
        use, spec = _read_use(item, catalogue)
        if use.name and use.name in known:
            item.refuse(f"signal {use.name} is used twice: remove one")
        uses.append(use)
        known[use.name] = spec
    # A signal whose name could not be read may be the one that a condition means.
    return tuple(uses), {} if "" in known else known


def _read_use(field: Field, catalogue: Catalogue | None) -> tuple[SignalUse, ComponentSpec | None]:
    if not isinstance(field.value, dict):
        name, spec = read_component_name(field, "signals", catalogue)
        return SignalUse(name), spec
    section = field.section("use", "params")
    name, spec = read_component_name(section.required("use"), "signals", catalogue)
    params = section.or_empty("params").entries()
    if spec is not None:
        _check_params(params, spec)
    return SignalUse(name, {key: value.scalar() for key, value in params.items()}), spec


def _check_params(params: Mapping[str, Field], spec: ComponentSpec) -> None:
    for key, given in params.items():
        accepts = spec.parameters.get(key)
        if accepts is None:
            owned = f"it has {', '.join(spec.parameters)}" if spec.parameters else "it has none"
            given.refuse_key(f"is no parameter of {spec.name}; {owned}", spec.parameters)
        elif isinstance(given.value, Decimal | str | bool) and (fault := accepts.fault(given.value)):
            given.refuse(fault, among=accepts.choices)


def read_condition(field: Field, signals: Signals) -> Condition:
    """A condition, or a list of them that must all hold."""
    found = tuple(_read_one(item, signals) for item in field.items())
    return found[0] if len(found) == 1 else AllOf(found)


def _read_one(field: Field, signals: Signals) -> Condition:
    groups = [key for key in GROUPS if isinstance(field.value, dict) and key in field.value]
    if not groups:
        return _read_match(field.section("signal", "outputs", *GROUPS), signals)
    section = field.section(*groups)
    if len(groups) > 1:
        field.refuse(f"has {' and '.join(groups)} side by side: write each as a list entry of its own")
    inner = section.required(groups[0])
    match groups[0]:
        case "not":
            return Not(read_condition(inner, signals))
        case "any":
            return AnyOf(tuple(_read_one(item, signals) for item in inner.items()))
        case _:
            return AllOf(tuple(_read_one(item, signals) for item in inner.items()))


def _read_match(section: Section, signals: Signals) -> SignalMatch:
    field = section.required("signal")
    name = field.text()
    # Without known signals the dependencies are the problem, and reported as such.
    if name and signals and name not in signals:
        field.refuse(f"is not among dependencies.signals ({', '.join(signals)})", among=signals, name=name.rpartition(".")[2])
    spec = signals.get(name)
    outputs = section.or_empty("outputs").entries()
    return SignalMatch(name, tuple(_read_test(output, inner, spec) for output, inner in outputs.items()))


def _read_test(output: str, field: Field, spec: ComponentSpec | None) -> OutputTest:
    told = len(field.findings.problems)
    comparison = read_comparison(field)
    operands = comparison.operands
    if len(field.findings.problems) > told:
        return OutputTest(output, comparison)
    if output == EVENT_STRENGTH and not all(isinstance(operand, Decimal) for operand in operands):
        field.refuse('is a number: compare it with one, as in "> 0.1"')
    elif output == EVENT_TYPE:
        _check_event_types(field, comparison.operator, operands, spec)
    elif spec is not None and output not in {*spec.outputs, EVENT_STRENGTH}:
        names = (EVENT_TYPE, EVENT_STRENGTH, *spec.outputs)
        field.refuse_key(f"is no output of {spec.name}; it has {', '.join(names)}", names)
    return OutputTest(output, comparison)


def _check_event_types(field: Field, operator: str, operands: tuple[object, ...], spec: ComponentSpec | None) -> None:
    if operator not in {"==", "!=", "in"} or not all(isinstance(operand, str) for operand in operands):
        field.refuse("is the name of an event: compare it with a name, a list, ==, != or in")
        return
    for operand in operands:
        if spec is not None and operand not in spec.event_types:
            field.refuse(
                f"{spec.name} has no event '{operand}'; it has {', '.join(spec.event_types)}", among=spec.event_types, name=str(operand)
            )
