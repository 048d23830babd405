"""The shapes the compiled rules work on: what is given (Tape, Agenda, Plan) and what changes (State, Log).

Everything is an array or a named tuple of arrays, so that a run can be entered at any instant, stopped and entered again:
the backtest hands over millions of bars, replay and live one.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.records import columns

Table = NDArray[Any]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# No level: as far away as a price can be, on the side where it is never reached.
FAR = 2**62

NO_LEVEL, PERCENTAGE, DISTANCE, ATR, PRICE = range(5)
FRACTION, STEPS, RISK = range(3)
CLOSE_ALL, CLOSE_LONG, CLOSE_SHORT, CLOSE_PARTIAL = range(4)
AT_OPEN, INSIDE, AT_CLOSE = range(3)
# A block sums up this many bars; its columns.
BLOCK_BARS = 8
HIGHEST, LOWEST, MOST_CLOSE, LEAST_CLOSE = range(4)
DIRECT, INVERSE = 1, -1
# A halt: not there, found by the mark of this instant (verdicts name the limit), there since an earlier one.
FREE, BREACHED, LATCHED = range(3)


def level(prefix: str) -> list[tuple[str, type]]:
    """A distance from a price: fraction, ticks or absolute ticks in `value`, or `multiple` of the ATR in slot `atr`."""
    return [(f"{prefix}_kind", np.int64), (f"{prefix}_value", np.int64), (f"{prefix}_multiple", np.float64), (f"{prefix}_atr", np.int64)]


SYMBOL = columns(
    "traded unit_value bid_shift ask_shift slippage steps_per_lot lot_commission long_rate short_rate "
    "leg1 leg1_kind leg1_scale leg2 leg2_kind leg2_scale has_finer".split()
)
ENTRY = np.dtype([(name, np.int64) for name in "side kind size_mode size size_one expiry most reverse".split()] + level("offset"))
EXITS = np.dtype(
    level("stop") + level("target") + [(name, np.int64) for name in "trails activation trail scale_out partial time_exit".split()]
)
# Limits that are off hold −1. `leverage` is in hundredths.
TERMS = columns(
    "max_drawdown daily_loss position_limit max_positions leverage percent_commission least_commission fill_close target_first".split()
)

ACCOUNT = np.dtype(
    [
        (name, np.int64)
        for name in (
            "cash equity peak trough day base drawn_down lost_day stopped_out positions pending opened "
            "trades fills verdicts orders instants days day_from bars"
        ).split()
    ]
    + [("worst", np.float64)]
)
SERIES = columns("next under last bid ask agenda now".split())
POSITION = columns(
    "number symbol side rule quantity entry_price entry_bar entry_time opened touch touch_kind stop target peak trail "
    "commission financing closing closing_reason closing_now closes cut_bar ambiguous resolved rate_num rate_den open_profit".split()
)
PENDING = columns("order symbol rule side kind quantity level bars_left stop_distance target_distance".split())


class Tape(NamedTuple):
    """All series end to end; series s owns rows start[s]:start[s + 1].

    Bars are over `bar_us` after they open; where that is 0 they differ, and `over`, from `over_start[s]` on, says when (`core.closes`).
    `ask_*` is the same memory as the raw columns unless real ask prices exist. `blocks` may be empty: they only make runs that
    keep no equity faster.
    """

    start: Ints
    bar_us: Ints
    over_start: Ints
    over: Ints
    time: Ints
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    ask_open: Ints
    ask_high: Ints
    ask_low: Ints
    ask_close: Ints
    fine_start: Ints
    fine_time: Ints
    fine_open: Ints
    fine_high: Ints
    fine_low: Ints
    fine_ask_open: Ints
    fine_ask_high: Ints
    fine_ask_low: Ints
    blocks: Ints
    ask_blocks: Ints


class Agenda(NamedTuple):
    """The bars on which more happens than prices: a new trading day, financing, a rule that holds. One bit per rule; `atr[row, slot]`."""

    start: Ints
    bar: Ints
    day: Ints
    weight: Ints
    entries: Ints
    exits: Ints
    atr: Floats


class Plan(NamedTuple):
    """The strategy and the terms as numbers: a row per symbol (`entries`: per symbol and rule; `actions`: per exit rule)."""

    symbols: Table
    entries: Table
    exits: Table
    actions: Ints
    terms: Table


class State(NamedTuple):
    """All there is to know between two instants. `positions` and `pending` are compact and oldest first."""

    account: Table
    series: Table
    positions: Table
    pending: Table


class Log(NamedTuple):
    """What happened; the account holds how many rows are used. Empty tables mean: do not keep it.

    `assessed` has room for every symbol and rule when someone asks why: then each rule is judged at each close, hit or not.
    """

    trades: Table
    fills: Table
    verdicts: Table
    orders: Table
    equity: Ints
    days: Ints
    assessed: Table


class Runs(NamedTuple):
    """Runs that differ in nothing but their exits: a row of `exits` for each run and symbol; `ended` has a row a run, `days` as many rows
    for each as the log.
    """

    exits: Table
    ended: Table
    days: Ints
