"""The work that is measured: two averages cross, long and short, each cross turning the position round, with stop, target and limits."""

from collections.abc import Sequence
from decimal import Decimal
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.adapters.component_catalogue import load_catalogue
from sptrader_desktop.adapters.inprocess_components import InProcessRunner
from sptrader_desktop.adapters.yaml_strategy import parse_strategy
from sptrader_desktop.core.candles import Candles, Int64Array
from sptrader_desktop.core.components import Catalogue
from sptrader_desktop.core.rules import RuleHits
from sptrader_desktop.core.simulation import Job, make_job
from sptrader_desktop.core.strategy import Strategy
from sptrader_desktop.core.terms import Terms
from sptrader_desktop.settings import shipped

TERMS = Terms(capital=Decimal(10_000_000))
TEXT = """
name: crossover_benchmark
version: "1.0.0"
dependencies:
  indicators: [indicators.trend.sma]
  signals:
    - use: signals.ma_crossover
      params: {fast_period: 20, slow_period: 50}
entry:
  - {when: [{signal: ma_crossover, outputs: {crossover_type: golden_cross}}], action: buy, size: 0.02, reverse: true}
  - {when: [{signal: ma_crossover, outputs: {crossover_type: death_cross}}], action: sell, size: 0.02, reverse: true}
exit:
  stop_loss: {type: percentage, value: 0.02}
  take_profit: {type: percentage, value: 0.04}
risk: {max_drawdown: 0.5, daily_loss_limit: 0.2, position_limit: 1, max_positions: 1}
"""


@cache
def catalogue() -> Catalogue:
    return load_catalogue(shipped("workspace"))


def crossover() -> Strategy:
    return parse_strategy(TEXT, "crossover benchmark", catalogue())


def runner() -> InProcessRunner:
    return InProcessRunner(shipped("workspace"), catalogue())


def averages(closes: Int64Array, windows: Sequence[int]) -> dict[int, NDArray[np.float64]]:
    """Each window once, from sums of whole ticks, as the sdk has them: averages that are equal compare equal."""
    total = np.append(0, np.cumsum(closes))
    found = {}
    for window in windows:
        found[window] = np.full(len(closes), np.nan)
        found[window][window - 1 :] = (total[window:] - total[:-window]) / window
    return found


def crossings(fast: NDArray[np.float64], slow: NDArray[np.float64]) -> RuleHits:
    """Golden crosses enter by the first rule, death crosses by the second; there are none before both averages are known twice."""
    hits = np.zeros((2, len(fast)), np.bool_)
    known = ~np.isnan(slow[:-1])
    for row, (a, b) in enumerate(((fast, slow), (slow, fast))):
        is_above = a > b
        hits[row, 1:] = is_above[1:] & ~is_above[:-1] & known
    return RuleHits(hits, np.zeros((0, len(fast)), np.bool_))


def crossover_hits(candles: Candles, fast: int = 20, slow: int = 50) -> RuleHits:
    found = averages(candles.prices.close, (fast, slow))
    return crossings(found[fast], found[slow])


def crossover_job(candles: Candles) -> Job:
    return make_job(crossover(), TERMS, [candles], [crossover_hits(candles)])
