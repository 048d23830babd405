"""Why there were not more trades: what the signals said, on how many bars each entry held, and what then stood in its way."""

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from sptrader_desktop.core.records import CANCELLED, EXPIRED, PLACED, VERDICTS
from sptrader_desktop.present.numbers import counted

if TYPE_CHECKING:
    from sptrader_desktop.core.results import Result

MEANING = {
    "opposite": "something was open the other way; see `reverse`",
    "already_in": "enough was open this way; see `scale_in` and `max_positions`",
    "no_atr": "the ATR had no value yet",
    "halted": "a limit of loss had stopped entries",
    "max_positions": "the account held `risk.max_positions`",
    "max_drawdown": "this close reached `risk.max_drawdown`",
    "daily_loss": "this close reached `risk.daily_loss_limit`",
    "margin": "not enough margin; see size and --leverage",
    "zero_size": "rounds down to nothing; see size and `risk.position_limit`",
}


Line = tuple[str, str]


def reasons(result: "Result") -> list[str]:
    lines = [*_signals(result), *_entries(result), *_orders(result)]
    width = max(len(label) for label, _ in lines)
    hint = [] if len(result.outcome.trades) else ["  `sptrader explain RUN --at TIME` says which condition failed on a bar"]
    return ["Why not more trades", *(f"  {label:<{width}}  {text}" for label, text in lines), *hint]


def _signals(result: "Result") -> list[Line]:
    lines = []
    for name in result.events[0]:
        kinds = Counter(kind for events in result.events for kind in events[name].type.tolist())
        said = ", ".join(f"{kind} {count:,}" for kind, count in sorted(kinds.items()))
        total = sum(kinds.values())
        silent = "no event: check its parameters and the length of the data"
        lines.append((name, f"{counted(total, 'event')}: {said}" if total else silent))
    return lines


def _entries(result: "Result") -> list[Line]:
    bars = sum(len(candles) for candles in result.request.traded)
    verdicts = result.outcome.verdicts
    lines = []
    for number, rule in enumerate(result.request.strategy.entries):
        held = sum(int(np.count_nonzero(hits.entries[number])) for hits in result.hits)
        counts = np.bincount(verdicts["verdict"][verdicts["rule"] == number], minlength=len(VERDICTS)).tolist()
        action = "buy" if rule.side == "long" else "sell"
        what = f"conditions held on {held:,} of {counted(bars, 'bar')}; {counted(counts[PLACED], 'order')} placed"
        lines.append((f"entry {number + 1}", f"{action}: {what}"))
        blocked = sorted(
            ((count, name) for name, count in zip(VERDICTS, counts, strict=True) if count and name != VERDICTS[PLACED]), reverse=True
        )
        lines += [("", f"{count:>7,}  {name}: {MEANING[name]}") for count, name in blocked]
    return lines


def _orders(result: "Result") -> list[Line]:
    states = result.outcome.orders["state"]
    unfilled = [(int(np.count_nonzero(states == state)), word) for state, word in ((EXPIRED, "expired"), (CANCELLED, "cancelled"))]
    said = ", ".join(f"{count:,} {word}" for count, word in unfilled if count)
    return [("orders", f"{said} without a fill")] if said else []
