"""An explanation as text of at most a hundred columns. Passed and failed are words, the mark beside them only repeats it."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from sptrader_desktop.core.explained import (
    Check,
    CheckName,
    ConditionSeen,
    EntrySeen,
    ExitSeen,
    Explanation,
    FillSeen,
    GroupSeen,
    LimitNeed,
    MatchSeen,
    Need,
    OrderSeen,
    PositionSeen,
    Reading,
    SidePrices,
)
from sptrader_desktop.core.strategy import OutputTest
from sptrader_desktop.present.explanation_words import (
    amount_text,
    condition_text,
    money_text,
    price_text,
    quantity_text,
    round_percent,
    value_text,
)
from sptrader_desktop.present.numbers import clock, counted

COLUMNS = 100
MARKS = {True: "✓ passed", False: "✗ failed", None: "· unasked"}
JOINED = {"all": "all of", "any": "any of", "not": "not"}
READINGS: dict[Reading, str] = {
    "gap": "the open was already beyond",
    "level": "reached",
    "stop_first": "stop and target both possible, stop_first took",
    "target_first": "stop and target both possible, target_first took",
    "finer": "stop and target both possible, finer candles reached first",
}
CHECKS: dict[CheckName, str] = {
    "opposite": "no opposite position or order",
    "already_in": "not in this position already",
    "no_atr": "ATR known",
    "halted": "trading not halted",
    "max_positions": "open positions under max_positions",
    "max_drawdown": "drawdown under max_drawdown",
    "daily_loss": "day's loss under daily_loss_limit",
    "margin": "exposure within leverage × equity",
    "position_limit": "size against position_limit",
    "zero_size": "size above zero",
}


def explanation_text(explained: Explanation) -> str:
    return "\n\n".join("\n".join(_folded(line) for line in lines) for lines in explanation_parts(explained)) + "\n"


def explanation_parts(explained: Explanation) -> list[list[str]]:
    """A heading and its lines, part by part; an indent of two more goes one level deeper."""
    return [
        _head(explained),
        _section("On this bar", [_fill_line(explained, fill) for fill in explained.fills], "nothing was filled"),
        _section("Orders that were working", [_order_line(explained, order) for order in explained.orders], "none"),
        _section("At the close", [_marks_line(explained)], ""),
        _section("Positions when the rules decided", [_position_line(explained, item) for item in explained.positions], "none"),
        *(_exit_lines(item, number) for number, item in enumerate(explained.exits, start=1)),
        *(_entry_lines(explained, item, number) for number, item in enumerate(explained.entries, start=1)),
    ]


def _folded(line: str) -> str:
    hanging = " " * (len(line) - len(line.lstrip()) + 4)
    return "\n".join(wrap(line, COLUMNS, subsequent_indent=hanging, drop_whitespace=True)) if len(line) > COLUMNS else line


def _section(title: str, lines: Sequence[str], empty: str) -> list[str]:
    return [title, *(f"  {line}" for line in (lines or [empty]))]


def _head(explained: Explanation) -> list[str]:
    symbol, times = explained.instrument.symbol, f"{clock(explained.opened_at)} to {clock(explained.closed_at)} UTC"
    sides = {"bid": explained.bid, "ask": explained.ask} if explained.bid != explained.ask else {"bid and ask": explained.bid}
    return [
        f"{symbol} {explained.timeframe}, bar {explained.bar}: {times}",
        *(f"  {name}  {_prices(explained, prices)}" for name, prices in sides.items()),
    ]


def _prices(explained: Explanation, prices: SidePrices) -> str:
    shown = (f"{name} {price_text(explained.instrument, ticks)}" for name, ticks in prices._asdict().items())
    return "  ".join(shown)


# What happened


def _fill_line(explained: Explanation, fill: FillSeen) -> str:
    item = explained.instrument
    done = f"{'bought' if fill.side > 0 else 'sold'} {amount_text(item, fill.quantity)} at {price_text(item, fill.price)}"
    stage = {"open": "at the open", "inside": "inside the bar", "close": "at the close"}[fill.stage]
    why = f"{fill.order_kind} entry" if fill.reason is None else fill.reason
    if fill.level is not None and fill.reading is not None:
        why += f", {READINGS[fill.reading]} {price_text(item, fill.level)}"
    profit = "" if fill.profit is None else f", {money_text(fill.profit, explained.currency, signed=True)}"
    return f"{stage}: {done} ({why}){profit}"


def _order_line(explained: Explanation, order: OrderSeen) -> str:
    item = explained.instrument
    level = "" if order.level is None else f" at {price_text(item, order.level)}"
    verb = "buy" if order.side > 0 else "sell"
    what = f"{order.kind} {verb} {amount_text(item, order.quantity)}{level}, placed {clock(order.decided_at)}"
    return f"{what}: {_fate(explained, order)}"


def _fate(explained: Explanation, order: OrderSeen) -> str:
    if order.settled_at is None:
        return "still working"
    price = "" if order.fill_price is None else f" at {price_text(explained.instrument, order.fill_price)}"
    return f"{order.state}{price} in the bar of {clock(order.settled_at)}"


def _marks_line(explained: Explanation) -> str:
    marks, currency = explained.marks, explained.currency
    down = _with_share(money_text(marks.drawdown, currency), marks.drawdown_fraction)
    day = f"day's loss {_with_share(money_text(marks.day_loss, currency), marks.day_loss_fraction)}"
    if marks.day_loss < 0:
        day = f"day's gain {money_text(-marks.day_loss, currency)}"
    return f"equity {money_text(marks.equity, currency)}, drawdown {down}, {day}"


def _with_share(amount: str, share: int | None) -> str:
    return amount if share is None else f"{amount} ({round_percent(share)})"


def _position_line(explained: Explanation, position: PositionSeen) -> str:
    item = explained.instrument
    side = "long" if position.side > 0 else "short"
    line = f"{side} {amount_text(item, position.quantity)} from {price_text(item, position.entry_price)} ({clock(position.entry_time)})"
    levels = (("stop", position.stop), ("trailing stop", position.trailing), ("target", position.target))
    line += "".join(f", {name} {price_text(item, ticks)}" for name, ticks in levels if ticks is not None)
    line += f", {money_text(position.open_profit, explained.currency, signed=True)}"
    if explained.time_exit is not None:
        line += f", close {position.closes} of {explained.time_exit}"
    if position.closing_reason is not None:
        line += f"; {amount_text(item, position.closing)} ordered closed ({position.closing_reason})"
    return line


# Conditions


def _exit_lines(seen: ExitSeen, number: int) -> list[str]:
    verdict = "its conditions held" if seen.condition.passed else "its conditions did not hold"
    return [f"Exit rule {number}, {seen.action}: {verdict}", *_condition_lines(seen.condition, 1)]


def _condition_lines(seen: ConditionSeen, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if isinstance(seen, MatchSeen):
        yield from _match_lines(seen, indent)
        return
    if not seen.parts:
        yield f"{indent}{MARKS[seen.passed]}  {JOINED[seen.joined]} nothing"
        return
    if depth == 1 and seen.joined == "all":
        for part in seen.parts:
            yield from _condition_lines(part, depth)
        return
    yield f"{indent}{MARKS[seen.passed]}  {JOINED[seen.joined]}:"
    for part in seen.parts:
        yield from _condition_lines(part, depth + 1)


def _match_lines(seen: MatchSeen, indent: str) -> Iterator[str]:
    if not seen.events:
        last = "none before it" if seen.last_event is None else f"the last one was on the bar of {clock(seen.last_event)}"
        wanted = f" with {_tests(seen.tests)}" if seen.tests else ""
        yield f"{indent}{MARKS[False]}  {seen.signal}{wanted}: no event on this bar, {last}"
    for number, event in enumerate(seen.events, start=1):
        which = seen.signal if len(seen.events) == 1 else f"{seen.signal}, event {number}"
        if not event:
            yield f"{indent}{MARKS[True]}  {which}: an event on this bar"
        for value in event:
            yield f"{indent}{MARKS[value.passed]}  {which}: {condition_text(value.test)} (was {value_text(value.value)})"


def _tests(tests: Sequence[OutputTest]) -> str:
    return " and ".join(condition_text(test) for test in tests)


# Entries


def _entry_lines(explained: Explanation, seen: EntrySeen, number: int) -> list[str]:
    action = "buy" if seen.side == "long" else "sell"
    risk = "  Checks" if seen.condition.passed else "  Checks, had its conditions held"
    return [
        f"Entry rule {number}, {action}: {_outcome(explained, seen)}",
        *_condition_lines(seen.condition, 1),
        risk,
        *(f"  {_check_line(explained, check)}" for check in seen.checks),
        f"  → {_need_line(explained, seen)}",
    ]


def _outcome(explained: Explanation, seen: EntrySeen) -> str:
    if seen.order is not None:
        order = seen.order
        level = "" if order.level is None else f" at {price_text(explained.instrument, order.level)}"
        return f"placed a {order.kind} order for {amount_text(explained.instrument, order.quantity)}{level}"
    if isinstance(seen.blocker, Check):
        return f"blocked by a check, {seen.verdict}"
    return f"blocked by its conditions, {_blocking_condition(seen.blocker)}"


def _blocking_condition(blocker: ConditionSeen | None) -> str:
    if isinstance(blocker, GroupSeen):
        return "none of its alternatives held" if blocker.joined == "any" else "what must not hold did"
    if blocker is None or not blocker.events:
        return f"no event of {blocker.signal}" if blocker else ""
    failed = next(value for event in blocker.events for value in event if not value.passed)
    return f"{blocker.signal} failed {condition_text(failed.test)}"


def _check_line(explained: Explanation, check: Check) -> str:
    return f"{MARKS[check.passed]}  {CHECKS[check.name]}{_figures(explained, check)}"


def _figures(explained: Explanation, check: Check) -> str:
    if check.name == "halted":
        return f": by {' and '.join(check.causes)} at an earlier close" if check.causes else ""
    if check.name == "no_atr":
        return ": not needed" if check.limit is None else f": bar {check.figure}, known from bar {check.limit}"
    if check.passed is None:
        return ""
    figure = "unknown, its base is gone" if check.figure is None else _figure(explained, check, check.figure)
    if check.name in ("zero_size", "opposite"):
        return f": {figure}"
    if check.limit is None:
        return f": {figure}, no limit"
    if check.name == "position_limit" and check.figure is not None and check.figure > check.limit:
        return f": {figure} wanted, reduced to {_number(explained, check, check.limit)}"
    return f": {figure} of {_number(explained, check, check.limit)}"


def _figure(explained: Explanation, check: Check, number: int) -> str:
    """Every digit only where the limit is so near that fewer would not tell them apart."""
    if check.unit == "fraction" and (check.limit is None or round_percent(number) != round_percent(check.limit)):
        return round_percent(number)
    return _number(explained, check, number)


def _number(explained: Explanation, check: Check, number: int) -> str:
    return quantity_text(number, check.unit, explained.instrument, explained.currency)


def _need_line(explained: Explanation, seen: EntrySeen) -> str:
    if seen.order is not None:
        return _fate(explained, seen.order)
    if not seen.would_need:
        return "no single change at this bar would have let it trade"
    return "would have traded " + ", or ".join(_need_text(explained, need) for need in seen.would_need)


def _need_text(explained: Explanation, need: Need) -> str:
    if isinstance(need, LimitNeed):
        return _limit_text(explained, need)
    with_tests = f" with {_tests(need.tests)}" if need.tests else ""
    if need.change == "value":
        return f"if {_tests(need.tests)} ({need.signal} had {value_text(need.seen)})"
    if need.change == "event":
        return f"on an event of {need.signal}{with_tests}"
    return f"without an event of {need.signal}{with_tests}"


def _limit_text(explained: Explanation, need: LimitNeed) -> str:
    if need.setting == "reverse":
        return "with reverse: true, which closes the opposite side first"
    if need.setting == "entry max_positions":
        return f"with scale_in: true and {counted(need.at_least, 'position')} allowed by its max_positions"
    return f"with {need.setting} at {quantity_text(need.at_least, need.unit, explained.instrument, explained.currency)} or more"
