"""What a run leaves to be marked on charts beside its trades: the events of its signals, and where a limit of loss stopped it."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sptrader_desktop.core.calendar import trading_day
from sptrader_desktop.core.records import DAILY_LOSS, HALTED, LONG, MAX_DRAWDOWN, RISK_HALT, SHORT
from sptrader_desktop.core.rules import passing
from sptrader_desktop.core.strategy import AllOf, AnyOf, Condition, SignalMatch
from sptrader_desktop.present.trade_marks import SignalMarks

if TYPE_CHECKING:
    from sptrader_desktop.core.results import Result

HALTING = {MAX_DRAWDOWN: "drawdown limit", DAILY_LOSS: "daily loss limit", HALTED: "loss limit"}


class Halt(NamedTuple):
    """The first sign of a halt: an instant, and why in a word or two."""

    instant: int
    reason: str


def signal_marks(result: "Result", place: int) -> list[SignalMarks]:
    """Of one traded symbol. An event points where the entries go that it satisfies, and nowhere where it satisfies none or both sides."""
    marks = []
    for name, table in result.events[place].items():
        sides = np.zeros((2, len(table)), np.bool_)
        for rule in result.request.strategy.entries:
            for match in _matches(rule.when):
                if match.signal == name:
                    sides[0 if rule.side == "long" else 1] |= passing(match, table)
        marks.append(SignalMarks(name, table.bar, LONG * sides[0].astype(np.int64) + SHORT * sides[1].astype(np.int64)))
    return marks


def halts(result: "Result") -> Sequence[Halt]:
    """One for each trading day that shows one; a limit of drawdown alone stops a run once and for all."""
    verdicts, fills = result.outcome.verdicts, result.outcome.fills
    signs = [Halt(int(time), "loss limit") for time in fills["time"][fills["reason"] == RISK_HALT]]
    for verdict, words in HALTING.items():
        signs += [Halt(int(time), words) for time in verdicts["time"][verdicts["verdict"] == verdict]]
    signs.sort(key=lambda sign: sign.instant)
    if result.request.strategy.risk.daily_loss_limit is None:
        return signs[:1]
    days = trading_day(np.array([sign.instant for sign in signs], np.int64)).tolist() if signs else []
    first = dict(zip(reversed(days), reversed(signs), strict=True))
    return [first[day] for day in sorted(first)]


def _matches(condition: Condition) -> Iterator[SignalMatch]:
    """Those that must happen; what must not happen points nowhere."""
    if isinstance(condition, SignalMatch):
        yield condition
    elif isinstance(condition, AllOf | AnyOf):
        for part in condition.conditions:
            yield from _matches(part)
