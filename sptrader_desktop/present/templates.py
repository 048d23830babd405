"""What a new strategy, indicator or signal starts from: small, complete, and good to run as it is."""

from sptrader_desktop.present.navigator import Kind

STRATEGY = """\
# What it waits for, what it risks, and when it gives up.
name: {name}
version: "1.0.0"
description: Long while a fast average is above a slow one.

dependencies:
  signals:
    - use: signals.ma_crossover
      params: {{fast_period: parameters.fast_period, slow_period: parameters.slow_period}}

parameters:
  fast_period: 20
  slow_period: 50
  risk: 0.01                # of equity, from the entry to the stop

entry:
  when:
    - signal: ma_crossover
      outputs: {{crossover_type: golden_cross}}
  action: buy
  size: {{mode: risk, value: parameters.risk}}

exit:
  signal_exit:
    when:
      - signal: ma_crossover
        outputs: {{crossover_type: death_cross}}
    action: close_all
  stop_loss: {{type: atr, value: 3}}

risk:
  max_drawdown: 0.2
  daily_loss_limit: 0.03
  position_limit: 5
"""

INDICATOR = '''\
"""The middle between the highest high and the lowest low of the last bars."""

import pandas as pd

from sptrader_desktop.sdk import highest, lowest, main

__metadata_version__ = 2
__metadata__ = {{
    "name": "{name}",
    "family": "{family}",
    "description": "Halfway between the highest high and the lowest low of the last `period` bars.",
    "parameters": {{"period": {{"type": "int", "default": 20, "min": 1, "max": 10000}}}},
    "outputs": ["{name}"],
    "warm_up": "period",
}}


class {class_name}:
    def __init__(self, period: int = 20) -> None:
        self.period = period

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        # Only this bar and those before it: what looks ahead is found out before it trades.
        top, bottom = highest(data["high"], self.period), lowest(data["low"], self.period)
        return ((top + bottom) / 2).rename("{name}")


if __name__ == "__main__":
    main({class_name}, __metadata__)
'''

SIGNAL = '''\
"""The close crosses its own average: upwards is `above`, downwards `below`."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sptrader_desktop.sdk import crossed_above, crossed_below, events, main

__metadata_version__ = 2
__metadata__ = {{
    "name": "{name}",
    "description": "An event on the bar whose close brings the price to the other side of its average.",
    "parameters": {{"period": {{"type": "int", "default": 50, "min": 2, "max": 10000}}}},
    "required_indicators": [{{"name": "average", "type": "sma", "params": {{"period": "period"}}}}],
    "event_types": ["above", "below"],
    "outputs": ["average"],
    "warm_up": "period + 1",
}}


class {class_name}:
    def __init__(self, period: int = 50) -> None:
        self.period = period

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series]) -> pd.DataFrame:
        average = indicators["average"]
        above, below = crossed_above(data["close"], average), crossed_below(data["close"], average)
        crossed = above | below
        return events(
            average.index[crossed],
            np.where(above[crossed], "above", "below"),
            1.0,  # the strength, from 0 to 1
            average=average[crossed],
        )


if __name__ == "__main__":
    main({class_name}, __metadata__)
'''

TEMPLATES = {Kind.STRATEGY: STRATEGY, Kind.INDICATOR: INDICATOR, Kind.SIGNAL: SIGNAL}


def new_text(kind: Kind, name: str, family: str = "") -> str:
    """`family` is the folder that an indicator is made in."""
    class_name = "".join(part.capitalize() for part in name.split("_")) or "Component"
    return TEMPLATES[kind].format(name=name, family=family, class_name=class_name if class_name[:1].isalpha() else f"C{class_name}")
