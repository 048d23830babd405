"""The live path over kept candles does what the backtest does: same orders, fills, trades, verdicts, equity and cash, to the last unit."""

import pytest

from sptrader_desktop.core.simulation import run
from sptrader_desktop.runtime.live.replay import Replay
from tests.markets import random_case
from tests.parity import first_unlike, job_of


@pytest.mark.parametrize("seed", range(40))
def test_a_replayed_market_is_the_backtest(seed: int) -> None:
    case = random_case(seed)
    job = job_of(case)
    symbols = tuple(candles.symbol for candles in (*case.candles, *case.rates))
    assert first_unlike(Replay(job, symbols).run(), run(job)) is None
