"""The columns a run leaves behind, all int64: one row is one trade, fill, verdict. Names and codes are defined here once.

Times are microseconds UTC, prices ticks, quantities steps, money 1e-8 of the account currency.
"""

from collections.abc import Sequence

import numpy as np

LONG, SHORT = 1, -1

EXIT_REASONS = (
    "stop_loss",
    "take_profit",
    "trailing_stop",
    "signal_exit",
    "reverse",
    "time_exit",
    "partial",
    "stop_out",
    "risk_halt",
    "emergency",
    "end_of_data",
)
(
    STOP_LOSS,
    TAKE_PROFIT,
    TRAILING_STOP,
    SIGNAL_EXIT,
    REVERSE,
    TIME_EXIT,
    PARTIAL,
    STOP_OUT,
    RISK_HALT,
    EMERGENCY,
    END_OF_DATA,
) = range(len(EXIT_REASONS))

# What became of an entry whose conditions held, in the order in which the questions are asked.
VERDICTS = (
    "placed",
    "opposite",
    "already_in",
    "no_atr",
    "halted",
    "max_positions",
    "max_drawdown",
    "daily_loss",
    "margin",
    "zero_size",
)
(
    PLACED,
    OPPOSITE,
    ALREADY_IN,
    NO_ATR,
    HALTED,
    MAX_POSITIONS,
    MAX_DRAWDOWN,
    DAILY_LOSS,
    MARGIN,
    ZERO_SIZE,
) = range(len(VERDICTS))

ORDER_STATES = ("working", "filled", "cancelled", "expired")
WORKING, FILLED, CANCELLED, EXPIRED = range(len(ORDER_STATES))

ORDER_KINDS = ("market", "limit", "stop")
MARKET, LIMIT, STOP = range(len(ORDER_KINDS))


def columns(names: Sequence[str]) -> np.dtype[np.void]:
    return np.dtype([(name, np.int64) for name in names])


# `entry_bar` and `exit_bar` index the symbol's candles; `rate_num / rate_den` turned quote into account currency at the exit.
TRADE = columns(
    "position symbol side rule entry_bar exit_bar entry_time exit_time entry_price exit_price quantity "
    "gross commission financing entry_notional reason ambiguous resolved rate_num rate_den".split()
)
# `side` is +1 for a buy; `reason` is −1 for an entry, else the exit reason; `order` is −1 for an exit.
FILL = columns("time symbol bar side quantity price commission rate_num rate_den position order reason".split())
# One row per entry rule and bar whose conditions held; `figure` and `limit` are the numbers the failing question compared (`core.entries`).
VERDICT = columns("time symbol bar rule verdict wanted quantity order figure limit".split())
# One row per entry order; `level` is −1 for market orders, `settled_bar` where it filled, was cancelled or expired.
ORDER = columns("symbol rule side kind quantity level decided_bar decided_time state settled_bar expiry".split())
# How one run of a sweep ended; `worst` is the deepest drawdown as a fraction.
ENDED = np.dtype([(name, np.int64) for name in ("cash", "trades", "days")] + [("worst", np.float64)])
# What the risk tree compared for one entry rule at one close, whether or not its conditions held: one row per symbol and rule.
ASSESSED = columns(
    "symbol rule hit verdict wanted quantity opposite same_side open_total drop peak day_loss day_base notional largest "
    "offset stop_distance target_distance equity bar".split()
)
