"""A filter: do the closes lie along a line, and does it rise or fall?"""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import above, below, events_where, main

__metadata_version__ = 2
__metadata__ = {
    "name": "regression_trend",
    "description": "Holds on every bar on which the straight line through the last closes explains enough of them (r2) and is not level.",
    "parameters": {
        "period": {"type": "int", "default": 50, "min": 3, "max": 5000},
        "fit": {"type": "float", "default": 0.5, "min": 0, "max": 0.99},
    },
    "required_indicators": [{"name": "line", "type": "linear_regression", "params": {"period": "period"}}],
    "event_types": ["uptrend", "downtrend"],
    "outputs": ["slope", "value", "r2"],
    "warm_up": "period",
}


class RegressionTrend:
    def __init__(self, period: int = 50, fit: float = 0.5) -> None:
        self.fit = fit

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        line = indicators["line"]
        fits = ~below(line["r2"], self.fit, 1)
        # Strength is r2, the share of the closes' variance that the line explains.
        return events_where(
            data,
            {"uptrend": fits & above(line["slope"], 0, data["close"]), "downtrend": fits & below(line["slope"], 0, data["close"])},
            line["r2"],
            slope=line["slope"],
            value=line["value"],
            r2=line["r2"],
        )


if __name__ == "__main__":
    main(RegressionTrend, __metadata__)
