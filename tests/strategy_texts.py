"""A strategy that uses every form of the format, one that uses none, and what is said of a bad one."""

from decimal import Decimal

import pytest

from sptrader_desktop.adapters.yaml_strategy import parse_strategy
from sptrader_desktop.core.errors import StrategyError
from sptrader_desktop.core.strategy import Strategy

FULL = """\
name: everything
version: "1.0.0"
author: somebody
description: all forms at once
dependencies:
  indicators: [indicators.trend.sma]
  signals:
    - signals.session_filter
    - {use: signals.ma_crossover, params: {fast_period: parameters.fast}}
parameters: {fast: 20, size: 0.02, stop: 0.02, low: 0.1, kind: golden_cross}
entry:
  - when:
      - signal: ma_crossover
        outputs: {crossover_type: parameters.kind, signal_strength: "> parameters.low"}
      - any: [{signal: session_filter}, {not: {signal: ma_crossover, outputs: {ma_fast: 1..2}}}]
    action: buy
    size: parameters.size
    order: {type: limit, offset: {type: atr, value: 1.5, period: 10}, expiry: 3}
    scale_in: true
    max_positions: 3
    reverse: true
  - when: [{signal: ma_crossover, outputs: {crossover_type: death_cross}}]
    action: sell
    size: {mode: risk, value: 0.01}
exit:
  signal_exit: {when: [{signal: ma_crossover}], action: close_partial}
  stop_loss: {type: percentage, value: parameters.stop}
  take_profit: {type: pips, value: 40}
  trailing_stop: {activation_pct: 0.01, trail_pct: 0.005}
  scale_out: true
  partial_close_pct: 0.5
  time_exit: {bars: 48}
risk:
  max_drawdown: 0.15
  daily_loss_limit: 0.03
  position_limit: 5
  max_positions: 4
  stop_loss: 0.03
"""

SMALL = """\
name: small
version: "1"
dependencies: {signals: [signals.ma_crossover]}
entry: {when: [{signal: ma_crossover}], action: buy, size: 0.5}
"""


def parsed(text: str, **overrides: Decimal | str | bool) -> Strategy:
    return parse_strategy(text, "s.yaml", overrides=overrides)


def complaints(text: str) -> list[str]:
    """The message's lines without the file's name."""
    with pytest.raises(StrategyError) as caught:
        parsed(text)
    return [line.removeprefix("s.yaml:") for line in str(caught.value).splitlines()]
