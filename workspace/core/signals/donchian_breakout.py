"""The close leaves the Donchian channel of the bars before: the turtles' entry, and their exit by a shorter channel."""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import events_where, falls_below, main, rises_above

__metadata_version__ = 2
__metadata__ = {
    "name": "donchian_breakout",
    "description": "breakout_up and breakout_down on the bar whose close leaves the entry channel as it stood before that bar; exit_long"
    " and exit_short on the bar whose close leaves the exit channel downwards, upwards.",
    "parameters": {
        "entry_period": {"type": "int", "default": 20, "min": 1, "max": 5000},
        "exit_period": {"type": "int", "default": 10, "min": 1, "max": 5000},
    },
    "required_indicators": [
        {"name": "entry", "type": "donchian", "params": {"period": "entry_period"}},
        {"name": "exit", "type": "donchian", "params": {"period": "exit_period"}},
    ],
    "event_types": ["breakout_up", "breakout_down", "exit_long", "exit_short"],
    "outputs": ["upper", "lower", "exit_upper", "exit_lower", "current_price"],
    "warm_up": "max(entry_period, exit_period) + 2",
}


class DonchianBreakout:
    def __init__(self, entry_period: int = 20, exit_period: int = 10) -> None:
        self.entry_period = entry_period

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        close, entry, exit_ = data["close"], indicators["entry"].shift(1), indicators["exit"].shift(1)
        # Strength is the distance from the middle of the entry channel, of its width: a half at its edge, full a half beyond it.
        return events_where(
            data,
            {
                "breakout_up": rises_above(close, entry["upper"]),
                "breakout_down": falls_below(close, entry["lower"]),
                "exit_long": falls_below(close, exit_["lower"]),
                "exit_short": rises_above(close, exit_["upper"]),
            },
            (close - entry["middle"]).abs() / (entry["upper"] - entry["lower"]),
            upper=entry["upper"],
            lower=entry["lower"],
            exit_upper=exit_["upper"],
            exit_lower=exit_["lower"],
            current_price=close,
        )


if __name__ == "__main__":
    main(DonchianBreakout, __metadata__)
