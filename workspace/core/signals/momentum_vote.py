"""A filter: five ways to measure momentum vote on the direction, because each of them is wrong at other times."""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import above, below, events_where, main

__metadata_version__ = 2
__metadata__ = {
    "name": "momentum_vote",
    "description": "Holds on every bar on which enough of momentum, rate of change, CMO, TRIX and PPO lie on the same side of zero.",
    "parameters": {
        "short_period": {"type": "int", "default": 10, "min": 2, "max": 500, "description": "of momentum"},
        "period": {"type": "int", "default": 14, "min": 2, "max": 500, "description": "of CMO and TRIX"},
        "long_period": {"type": "int", "default": 26, "min": 3, "max": 500, "description": "of rate of change, and the slow one of PPO"},
        "votes": {"type": "int", "default": 4, "min": 3, "max": 5},
    },
    "required_indicators": [
        {"name": "momentum", "type": "momentum", "params": {"period": "short_period"}},
        {"name": "roc", "type": "roc", "params": {"period": "long_period"}},
        {"name": "cmo", "type": "cmo", "params": {"period": "period"}},
        {"name": "trix", "type": "trix", "params": {"period": "period"}},
        {"name": "ppo", "type": "ppo", "params": {"fast_period": "short_period", "slow_period": "long_period"}},
    ],
    "event_types": ["bullish", "bearish"],
    "outputs": ["agreeing", "momentum", "roc", "cmo", "trix", "ppo"],
    "warm_up": "40 * max(period, long_period)",
}


class MomentumVote:
    def __init__(self, short_period: int = 10, period: int = 14, long_period: int = 26, votes: int = 4) -> None:
        if short_period >= long_period:
            raise ValueError(f"short_period {short_period} must be below long_period {long_period}: shorten it")
        self.votes = votes

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series]) -> pd.DataFrame:
        # Momentum counts in prices, the others in percent.
        scales = {"momentum": data["close"], "roc": 100, "cmo": 100, "trix": 100, "ppo": 100}
        rising = sum(above(indicators[name], 0, scale).astype(int) for name, scale in scales.items())
        falling = sum(below(indicators[name], 0, scale).astype(int) for name, scale in scales.items())
        agreeing = pd.Series(rising, data.index).where(rising > falling, falling)
        # Strength is the share of the five that agree.
        return events_where(
            data,
            {"bullish": rising >= self.votes, "bearish": falling >= self.votes},
            agreeing / len(scales),
            agreeing=agreeing,
            **{name: indicators[name] for name in scales},
        )


if __name__ == "__main__":
    main(MomentumVote, __metadata__)
