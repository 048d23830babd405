"""Which metadata is valid: plain data from a component's file to its `ComponentSpec`, or all its problems."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sptrader_desktop.core.components import (
    ALL_BARS,
    EVENT_STRENGTH,
    EVENT_TYPE,
    ComponentSpec,
    ParameterSpec,
    ParameterType,
    RequiredIndicator,
    warm_up_bars,
)
from sptrader_desktop.core.errors import Problem
from sptrader_desktop.core.strategy import Scalar
from sptrader_desktop.core.strategy_fields import IDENTIFIER, NO_NAME, Field, Findings, Plain, Section

TYPES: tuple[ParameterType, ...] = ("int", "float", "str", "bool")
INDICATOR_KEYS = ("name", "title", "family", "description", "parameters", "outputs", "levels", "warm_up")
SIGNAL_KEYS = ("name", "description", "parameters", "required_indicators", "event_types", "outputs", "warm_up")
MOST_BARS = 1_000_000
MOST_LEVELS = 8


@dataclass(frozen=True, slots=True)
class ComponentFile:
    """What the file itself says: its place, and the class found in it."""

    dotted: str
    class_name: str
    source: str
    line: int


def read_metadata(data: Plain, file: ComponentFile) -> ComponentSpec | tuple[Problem, ...]:
    findings = Findings()
    is_signal = file.dotted.startswith("signals.")
    root = Field((), data, findings).section(*(SIGNAL_KEYS if is_signal else INDICATOR_KEYS))
    _check_names(root, file.dotted, is_signal)
    parameters = _parameters(root.or_empty("parameters"))
    outputs = root.get("outputs") if is_signal else root.required("outputs")
    spec = ComponentSpec(
        dotted=file.dotted,
        class_name=file.class_name,
        parameters=parameters,
        outputs=_names(outputs) if outputs is not None else (),
        warm_up=_warm_up(root.required("warm_up"), parameters, is_sound=not findings.problems),
        required_indicators=_required(root.get("required_indicators"), parameters),
        event_types=_names(root.required("event_types")) if is_signal else (),
        source=file.source,
        line=file.line,
        title=_title(root.get("title"), file.dotted),
        levels=_levels(root.get("levels")),
    )
    if is_signal and outputs is not None and {EVENT_TYPE, EVENT_STRENGTH} & set(spec.outputs):
        outputs.refuse(f"holds {EVENT_TYPE} or {EVENT_STRENGTH}, which every event has: leave them out")
    return tuple(findings.problems) or spec


def _check_names(root: Section, dotted: str, is_signal: bool) -> None:
    *folders, stem = dotted.split(".")
    name = root.required("name")
    if name.text() not in {"", stem}:
        name.refuse(f"must be the file's name, {stem}")
    if not is_signal:
        family = root.required("family")
        if family.text() not in {"", folders[-1]}:
            family.refuse(f"must be the folder's name, {folders[-1]}")


def _parameters(field: Field) -> dict[str, ParameterSpec]:
    return {
        name: _parameter(entry.section("type", "default", "min", "max", "choices", "description"))
        for name, entry in field.entries().items()
    }


def _parameter(section: Section) -> ParameterSpec:
    kind = section.required("type").word(TYPES)
    default = section.required("default")
    low, high, choices = (section.get(key) for key in ("min", "max", "choices"))
    misplaced = [bound for bound in ((low, high) if kind in {"str", "bool"} else ()) if bound is not None]
    if choices is not None and kind != "str":
        misplaced.append(choices)
    for bound in misplaced:
        bound.refuse_key(f"says nothing about type {kind}: remove it")
    if misplaced:
        return ParameterSpec(kind, "")
    spec = ParameterSpec(kind, default.scalar(), _bound(low), _bound(high), _names(choices) if choices is not None else ())
    fault = spec.fault(spec.default)
    if fault and isinstance(default.value, Decimal | str | bool):
        default.refuse(fault)
    return spec


def _bound(field: Field | None) -> Decimal | None:
    if field is None:
        return None
    if isinstance(field.value, Decimal):
        return field.value
    field.refuse("must be a number")
    return None


def _names(field: Field) -> tuple[str, ...]:
    names = tuple(_name(item) for item in field.items())
    if len(set(names)) < len(names):
        field.refuse("holds a name twice")
    return names


def _name(field: Field) -> str:
    name = field.text()
    if name and not IDENTIFIER.fullmatch(name):
        field.refuse(NO_NAME)
    return name


def _title(field: Field | None, dotted: str) -> str:
    return dotted.rpartition(".")[2].replace("_", " ").capitalize() if field is None else field.text()


def _levels(field: Field | None) -> tuple[float, ...]:
    if field is None:
        return ()
    found = [bound for item in field.items() if (bound := _bound(item)) is not None]
    if len(found) > MOST_LEVELS:
        field.refuse(f"holds more than {MOST_LEVELS}: name those that are looked at")
    return tuple(map(float, found))


def _warm_up(field: Field, parameters: dict[str, ParameterSpec], *, is_sound: bool) -> str:
    """A formula is tried out with the defaults, so these must be sound."""
    rule = str(field.integer(1, MOST_BARS)) if isinstance(field.value, Decimal) else field.text()
    if not rule.strip() or not is_sound:
        return ALL_BARS
    try:
        bars = warm_up_bars(rule, {name: spec.default for name, spec in parameters.items()}) if len(rule) <= 200 else MOST_BARS + 1
    except ValueError as error:
        field.refuse(f'{error}: write a number, "{ALL_BARS}", or parameters joined by + - * and max(…)')
        return ALL_BARS
    if bars is not None and bars > MOST_BARS:
        field.refuse(f"comes to more than {MOST_BARS} bars")
    return rule


def _required(field: Field | None, parameters: dict[str, ParameterSpec]) -> tuple[RequiredIndicator, ...]:
    if field is None or field.value == []:
        return ()
    found = tuple(_required_one(item.section("name", "type", "params"), tuple(parameters)) for item in field.items())
    if len({required.name for required in found}) < len(found):
        field.refuse("holds a name twice")
    return found


def _required_one(section: Section, own: Sequence[str]) -> RequiredIndicator:
    params: dict[str, Scalar] = {}
    for name, entry in section.or_empty("params").entries().items():
        params[name] = entry.scalar()
        if isinstance(params[name], str) and params[name] not in own:
            entry.refuse("must be a number, or the name of one of the signal's own parameters", among=own)
    return RequiredIndicator(_name(section.required("name")), section.required("type").text(), params)
