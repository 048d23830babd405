"""Which strategies are valid: plain data, whoever read it, to a `Strategy` with its parameters resolved, or to all its problems."""

import re
from collections.abc import Mapping
from decimal import Decimal

from sptrader_desktop.core.components import Catalogue
from sptrader_desktop.core.errors import Problem
from sptrader_desktop.core.strategy import (
    MOST_RULES,
    EntryOrder,
    EntryRule,
    ExitAction,
    ExitRule,
    Exits,
    Level,
    LevelKind,
    OrderKind,
    RiskLimits,
    Scalar,
    Side,
    Size,
    SizeMode,
    Strategy,
    TrailingStop,
)
from sptrader_desktop.core.strategy_conditions import Signals, read_component_name, read_condition, read_signals
from sptrader_desktop.core.strategy_fields import IDENTIFIER, NO_NAME, Field, Findings, Plain, Section, Span

ROOT_KEYS = ("name", "version", "author", "description", "dependencies", "parameters", "entry", "exit", "risk")
ENTRY_KEYS = ("when", "action", "size", "order", "scale_in", "max_positions", "reverse")
EXIT_KEYS = ("signal_exit", "stop_loss", "take_profit", "trailing_stop", "scale_out", "partial_close_pct", "time_exit")
RISK_KEYS = ("max_drawdown", "daily_loss_limit", "position_limit", "max_position_size", "max_positions", "stop_loss", "take_profit")

SIDES: dict[str, Side] = {"buy": "long", "sell": "short"}
SIZE_MODES: tuple[SizeMode, ...] = ("fraction", "units", "lots", "risk")
ORDER_KINDS: tuple[OrderKind, ...] = ("market", "limit", "stop")
LEVEL_KINDS: tuple[LevelKind, ...] = ("percentage", "pips", "atr", "price")
OFFSET_KINDS: tuple[LevelKind, ...] = ("percentage", "pips", "atr")
EXIT_ACTIONS: tuple[ExitAction, ...] = ("close_all", "close_long", "close_short", "close_partial")

ZERO, ONE = Decimal(0), Decimal(1)
PART = Span(ZERO, ONE, has_high=False)
ACTIVATION = Span(ZERO, ONE, has_low=True, has_high=False)
LIMIT = Span(ZERO, ONE)
NOTIONAL = Span(ZERO, Decimal(100))
AMOUNT = Span(ZERO, Decimal(1_000_000_000))
SIZE_SPANS: dict[SizeMode, Span] = {"fraction": NOTIONAL, "units": AMOUNT, "lots": AMOUNT, "risk": LIMIT}
MOST_POSITIONS, LONGEST_PERIOD, MOST_BARS = 1000, 10_000, 1_000_000


def resolve_strategy(
    data: Plain, catalogue: Catalogue | None = None, overrides: Mapping[str, Scalar] | None = None
) -> Strategy | tuple[Problem, ...]:
    """`overrides` replace values under `parameters`; a catalogue adds what only the components themselves can tell."""
    findings = Findings()
    top = Field((), data, findings)
    written = data.get("parameters", {}) if isinstance(data, dict) else {}
    parameters = _parameters(top.child("parameters", written), overrides or {})
    root = top.section(*ROOT_KEYS)
    dependencies = root.required("dependencies").section("indicators", "signals")
    uses, signals = read_signals(dependencies.required("signals"), catalogue)
    risk = root.or_empty("risk").section(*RISK_KEYS)
    exits = _exits(root.or_empty("exit").section(*EXIT_KEYS), risk, signals)
    strategy = Strategy(
        name=_name(root.required("name")),
        version=root.required("version").text(),
        entries=tuple(_entry(item, signals, exits) for item in root.required("entry").items()),
        exits=exits,
        risk=_risk(risk),
        signals=uses,
        indicators=_indicators(dependencies.get("indicators"), catalogue),
        parameters=parameters,
        author=_optional_text(root, "author"),
        description=_optional_text(root, "description"),
    )
    for key, count in (("entry", len(strategy.entries)), ("exit", len(exits.rules))):
        if count > MOST_RULES:
            root.required(key).refuse(f"has {count} rules, {MOST_RULES} are the most: split the strategy in two")
    return tuple(findings.problems) or strategy


def _parameters(field: Field, overrides: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Also tells the findings, so that every `parameters.x` met from here on is resolved."""
    if not isinstance(field.value, dict):
        field.section("names of your own")
        return {}
    values: dict[str, Scalar | None] = {}
    for name, written in field.value.items():
        values[name] = _parameter(Field((*field.path, name), overrides.get(name, written), field.findings))
    for name in sorted(overrides.keys() - values.keys()):
        field.child(name, None).refuse_key("names no parameter of this strategy", values)
    field.findings.parameters = values
    return {name: value for name, value in values.items() if value is not None}


def _parameter(field: Field) -> Scalar | None:
    value = field.value
    if not IDENTIFIER.fullmatch(str(field.path[-1])):
        field.refuse_key(NO_NAME)
    elif isinstance(value, str) and value.startswith("parameters."):
        field.refuse("cannot refer to another parameter: write its value")
    elif not isinstance(value, Decimal | str | bool) or (isinstance(value, Decimal) and not value.is_finite()):
        field.refuse("must be a number, a text, true or false")
    else:
        return value
    return None


def _name(field: Field) -> str:
    name = field.text()
    if name and not re.fullmatch(r"[a-z0-9_]{1,64}", name):
        field.refuse("must be 1 to 64 small letters, digits and _")
    return name


def _optional_text(root: Section, key: str) -> str:
    field = root.get(key)
    return field.text() if field is not None else ""


def _indicators(field: Field | None, catalogue: Catalogue | None) -> tuple[str, ...]:
    if field is None or field.value == []:
        return ()
    return tuple(read_component_name(item, "indicators", catalogue)[0] for item in field.items())


def _entry(field: Field, signals: Signals, exits: Exits) -> EntryRule:
    section = field.section(*ENTRY_KEYS)
    size, order, most = section.required("size"), section.get("order"), section.get("max_positions")
    rule = EntryRule(
        when=read_condition(section.required("when"), signals),
        side=SIDES[section.required("action").word(tuple(SIDES))],
        size=_size(size),
        order=_order(order) if order is not None else EntryOrder(),
        scale_in=section.flag("scale_in"),
        max_positions=most.integer(1, MOST_POSITIONS) if most is not None else 1,
        reverse=section.flag("reverse"),
    )
    if rule.size.mode == "risk" and exits.stop_loss is None:
        size.refuse("sizes by the stop's distance: add exit.stop_loss")
    scale_in = section.get("scale_in")
    if most is not None and rule.max_positions > 1 and (scale_in is None or scale_in.value is False):
        most.refuse("acts only with scale_in: true: add that, or leave this out")
    return rule


def _size(field: Field) -> Size:
    if not isinstance(field.value, dict):
        return Size("fraction", field.number(NOTIONAL))
    section = field.section("mode", "value")
    written = section.required("mode")
    mode = written.word(SIZE_MODES)
    return Size(mode, section.required("value").number(SIZE_SPANS[mode] if written.value == mode else AMOUNT))


def _order(field: Field) -> EntryOrder:
    section = field.section("type", "offset", "expiry")
    kind = section.required("type").word(ORDER_KINDS)
    offset, expiry = section.get("offset"), section.get("expiry")
    if kind == "market":
        for extra in (offset, expiry):
            if extra is not None:
                extra.refuse_key("belongs to limit and stop orders: remove it, or change the type")
        return EntryOrder()
    return EntryOrder(
        kind,
        _level(section.required("offset"), OFFSET_KINDS),
        expiry.integer(1, MOST_BARS) if expiry is not None else None,
    )


def _level(field: Field, kinds: tuple[LevelKind, ...]) -> Level:
    section = field.section("type", "value", "period")
    written = section.required("type")
    kind = written.word(kinds)
    # What a wrong type would have asked of the other keys is not known: they are not held against it.
    value = section.required("value").number(PART if written.value == "percentage" else AMOUNT)
    period = section.get("period")
    if period is None:
        return Level(kind, value)
    if kind != "atr" and written.value == kind:
        period.refuse_key("belongs to type atr: remove it, or change the type")
    return Level(kind, value, period.integer(1, LONGEST_PERIOD))


def _stop_or_target(field: Field | None) -> Level | None:
    """A bare number is a percentage."""
    if field is None:
        return None
    return _level(field, LEVEL_KINDS) if isinstance(field.value, dict) else Level("percentage", field.number(PART))


def _exits(section: Section, risk: Section, signals: Signals) -> Exits:
    stop, target = (_stop_or_target(section.get(key)) for key in ("stop_loss", "take_profit"))
    risk_stop, risk_target = (_stop_or_target(risk.get(key)) for key in ("stop_loss", "take_profit"))
    part, trailing, timed, written = (section.get(key) for key in ("partial_close_pct", "trailing_stop", "time_exit", "signal_exit"))
    scale_out = section.flag("scale_out")
    if scale_out and part is None:
        section.required("scale_out").refuse("closes a part: add partial_close_pct beside it, such as 0.5")
    return Exits(
        rules=tuple(_exit_rule(item, signals, part is not None) for item in written.items()) if written is not None else (),
        stop_loss=stop or risk_stop,
        take_profit=target or risk_target,
        trailing_stop=_trailing(trailing.section("activation_pct", "trail_pct")) if trailing is not None else None,
        scale_out=scale_out,
        partial_close_pct=part.number(PART) if part is not None else None,
        time_exit=_time_exit(timed) if timed is not None else None,
    )


def _exit_rule(field: Field, signals: Signals, has_part: bool) -> ExitRule:
    section = field.section("when", "action")
    action = section.required("action")
    rule = ExitRule(read_condition(section.required("when"), signals), action.word(EXIT_ACTIONS))
    if rule.action == "close_partial" and not has_part:
        action.refuse("closes a part: add exit.partial_close_pct, such as 0.5")
    return rule


def _trailing(section: Section) -> TrailingStop:
    activation = section.get("activation_pct")
    return TrailingStop(activation.number(ACTIVATION) if activation is not None else ZERO, section.required("trail_pct").number(PART))


def _time_exit(field: Field) -> int:
    bars = field.section("bars").required("bars") if isinstance(field.value, dict) else field
    return bars.integer(1, MOST_BARS)


def _risk(section: Section) -> RiskLimits:
    drawdown, daily, limit, same, most = (section.get(key) for key in RISK_KEYS[:5])
    if limit is not None and same is not None:
        same.refuse_key("is the same as position_limit: keep one of the two")
    limit = limit or same
    return RiskLimits(
        max_drawdown=drawdown.number(LIMIT) if drawdown is not None else None,
        daily_loss_limit=daily.number(LIMIT) if daily is not None else None,
        position_limit=limit.number(NOTIONAL) if limit is not None else None,
        max_positions=most.integer(1, MOST_POSITIONS) if most is not None else None,
    )
