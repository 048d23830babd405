"""The questions an entry is asked, with the two numbers each compared, and the smallest setting that would have let it pass."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sptrader_desktop.core import records as rec
from sptrader_desktop.core.explained import Check, LimitNeed, Setting, Unit
from sptrader_desktop.core.money import FRACTION_ONE
from sptrader_desktop.core.plan import atr_periods
from sptrader_desktop.core.risk import breached, over_margin
from sptrader_desktop.core.strategy import Strategy
from sptrader_desktop.core.tables import ATR, LATCHED, STEPS, Agenda, Plan, State, Table


def share_of(part: int, whole: int) -> int | None:
    """part / whole in 1e-8, rounded down; None when there is no whole."""
    return part * FRACTION_ONE // whole if whole > 0 else None


def checks_of(strategy: Strategy, plan: Plan, before: State, judged: Table, row: int, agenda: Agenda) -> tuple[Check, ...]:
    """In the order in which they are asked; the first that failed is the verdict."""
    symbol, rule = int(judged["symbol"]), int(judged["rule"])
    entry, terms = plan.entries[symbol, rule], plan.terms[0]
    return (
        Check("opposite", not judged["opposite"], int(judged["opposite"]), 0, "count"),
        Check("already_in", bool(judged["same_side"] < entry["most"]), int(judged["same_side"]), int(entry["most"]), "count"),
        _atr_check(strategy, plan, symbol, rule, row, agenda),
        _halted_check(before.account[0]),
        _positions_check(judged, int(terms["max_positions"])),
        _loss_check("max_drawdown", int(judged["drop"]), int(judged["peak"]), int(terms["max_drawdown"])),
        _loss_check("daily_loss", int(judged["day_loss"]), int(judged["day_base"]), int(terms["daily_loss"])),
        *_size_checks(judged, int(terms["leverage"])),
    )


def _atr_check(strategy: Strategy, plan: Plan, symbol: int, rule: int, row: int, agenda: Agenda) -> Check:
    """Compares the bars so far with the longest period needed: the first value stands at that bar."""
    levels = ((plan.entries[symbol, rule], "offset"), (plan.exits[symbol], "stop"), (plan.exits[symbol], "target"))
    slots = [int(table[f"{name}_atr"]) for table, name in levels if table[f"{name}_kind"] == ATR]
    if not slots:
        return Check("no_atr", True, None, None, "bars")
    known = all(agenda.atr[row, slot] == agenda.atr[row, slot] for slot in slots)
    return Check("no_atr", known, int(agenda.bar[row]), max(atr_periods(strategy)[slot] for slot in slots), "bars")


def _halted_check(account: Table) -> Check:
    limits = (("drawn_down", "max_drawdown"), ("lost_day", "daily_loss_limit"))
    causes = tuple(name for flag, name in limits if account[flag] == LATCHED)
    return Check("halted", not causes, None, None, "switch", causes)


def _positions_check(judged: Table, limit: int) -> Check:
    total = int(judged["open_total"])
    return Check("max_positions", limit < 0 or total < limit, total, None if limit < 0 else limit, "count")


def _loss_check(name: Literal["max_drawdown", "daily_loss"], loss: int, base: int, limit: int) -> Check:
    share = share_of(max(loss, 0), base)
    return Check(name, not breached(loss, limit, base), share, None if limit < 0 else limit, "fraction")


def _size_checks(judged: Table, leverage: int) -> tuple[Check, Check, Check]:
    """Without a size (a conflict or an unknown ATR came first) there is nothing to compare."""
    largest = None if judged["largest"] < 0 else int(judged["largest"])
    if judged["verdict"] in (rec.OPPOSITE, rec.ALREADY_IN, rec.NO_ATR):
        return Check("margin", None, None, None, "money"), Check("position_limit", None, None, None, "steps"), _no_size()
    notional, equity, wanted, quantity = (int(judged[name]) for name in ("notional", "equity", "wanted", "quantity"))
    return (
        Check("margin", not over_margin(notional, leverage, equity), notional, max(leverage * equity // 100, 0), "money"),
        Check("position_limit", True, wanted, largest, "steps"),
        Check("zero_size", quantity > 0, quantity, 0, "steps"),
    )


def _no_size() -> Check:
    return Check("zero_size", None, None, None, "steps")


# What would have had to differ


@dataclass(frozen=True, slots=True)
class Lever:
    """One number of the plan that a person sets, and the largest value worth trying."""

    table: str
    column: str
    setting: Setting
    unit: Unit
    most: int

    def value(self, plan: Plan, symbol: int, rule: int) -> int:
        return int(plan.terms[self.column][0] if self.table == "terms" else plan.entries[self.column][symbol, rule])

    def moved(self, plan: Plan, symbol: int, rule: int, value: int) -> Plan:
        if self.table == "terms":
            terms = plan.terms.copy()
            terms[self.column] = value
            return plan._replace(terms=terms)
        entries = plan.entries.copy()
        entries[self.column][symbol, rule] = value
        return plan._replace(entries=entries)


LEVERS = {
    rec.OPPOSITE: Lever("entries", "reverse", "reverse", "switch", 1),
    rec.ALREADY_IN: Lever("entries", "most", "entry max_positions", "count", 1_000),
    rec.MAX_POSITIONS: Lever("terms", "max_positions", "max_positions", "count", 10_000),
    rec.MAX_DRAWDOWN: Lever("terms", "max_drawdown", "max_drawdown", "fraction", FRACTION_ONE),
    rec.DAILY_LOSS: Lever("terms", "daily_loss", "daily_loss_limit", "fraction", FRACTION_ONE),
    rec.MARGIN: Lever("terms", "leverage", "leverage", "hundredths", 1_000_000),
}
POSITION_LIMIT = Lever("terms", "position_limit", "position_limit", "fraction", 1_000 * FRACTION_ONE)
STEPS_SIZE = Lever("entries", "size", "size", "steps", 1)
FRACTION_SIZE = Lever("entries", "size", "size", "fraction", 1_000 * FRACTION_ONE)


def _lever(plan: Plan, judged: Table) -> Lever | None:
    """Halts and an unknown ATR have a history that no setting at this bar undoes."""
    if judged["verdict"] != rec.ZERO_SIZE:
        return LEVERS.get(int(judged["verdict"]))
    if judged["wanted"] > 0:
        return POSITION_LIMIT
    mode = plan.entries["size_mode"][judged["symbol"], judged["rule"]]
    return STEPS_SIZE if mode == STEPS else FRACTION_SIZE


def limit_need(plan: Plan, judged: Table, verdict_with: Callable[[Plan], int]) -> LimitNeed | None:
    """The smallest value at which the check that failed passes, if the entry is placed with it; found by judging again."""
    if (lever := _lever(plan, judged)) is None:
        return None
    symbol, rule = int(judged["symbol"]), int(judged["rule"])

    def verdict(value: int) -> int:
        return verdict_with(lever.moved(plan, symbol, rule, value))

    smallest = _smallest(lever.value(plan, symbol, rule), lever.most, lambda value: verdict(value) != judged["verdict"])
    if smallest is None or verdict(smallest) != rec.PLACED:
        return None
    return LimitNeed(lever.setting, smallest, lever.unit)


def _smallest(now: int, most: int, passes: Callable[[int], bool]) -> int | None:
    """The smallest value above `now` that passes: steps double until one does, so no trial is far beyond what is needed."""
    low, step = now, 1
    while not passes(high := min(now + step, most)):
        if high >= most:
            return None
        low, step = high, 2 * step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if passes(middle) else (middle, high)
    return high
