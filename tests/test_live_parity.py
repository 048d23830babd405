"""The live path over kept candles does what the backtest does: same orders, fills, trades, verdicts, equity and cash, to the last unit."""

from dataclasses import replace
from pathlib import Path

import pytest

from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.rules import RuleHits
from sptrader_desktop.core.simulation import make_job, run
from sptrader_desktop.core.terms import Terms
from sptrader_desktop.runtime.live.replay import Replay, new_account
from sptrader_desktop.runtime.live.session import Session
from tests.golden import golden_case
from tests.markets import random_case
from tests.parity import first_unlike, job_of
from tests.simulated_disk import SimulatedDisk, SimulatedJournal


@pytest.mark.parametrize("seed", range(40))
def test_a_replayed_market_is_the_backtest(seed: int) -> None:
    case = random_case(seed)
    job = job_of(case)
    symbols = tuple(candles.symbol for candles in (*case.candles, *case.rates))
    assert first_unlike(Replay(job, symbols).run(), run(job)) is None


def test_what_was_written_down_comes_to_the_same_state_byte_for_byte() -> None:
    for seed in range(6):
        case = random_case(seed)
        job = job_of(case)
        symbols = tuple(candles.symbol for candles in (*case.candles, *case.rates))
        journal = SimulatedJournal(SimulatedDisk())
        first = Replay(job, symbols, journal)
        first.run()
        again = Session(new_account(job, "replay", symbols, latches=False), journal)
        assert again.recover() == journal.head[0] > 0
        for name in ("state", "log"):
            for ours, theirs in zip(getattr(first.account.book, name), getattr(again.account.book, name), strict=True):
                assert ours.tobytes() == theirs.tobytes()
        assert again.account.lives.unknown() == first.account.lives.unknown() == []


@pytest.mark.parametrize(("spec", "first"), [("S1", 4_000), ("S2", 20_000), ("S3", 40_000)])
def test_slices_of_a_real_market_replay_as_they_backtest(reference: Path, spec: str, first: int) -> None:
    case = golden_case(reference, spec, with_ask=True)
    candles, hits = part(case.candles, first, first + 5_000), case.hits
    cut = RuleHits(hits.entries[:, first : first + 5_000], hits.exits[:, first : first + 5_000])
    job = make_job(case.strategy, Terms(), (candles,), (cut,))
    assert first_unlike(Replay(job, ("EURUSD",)).run(), run(job)) is None


def part(candles: Candles, first: int, last: int) -> Candles:
    def columns(prices: Prices) -> Prices:
        return Prices(*(getattr(prices, name)[first:last] for name in ("open", "high", "low", "close")))

    ask = None if candles.ask is None else columns(candles.ask)
    return replace(candles, timestamp=candles.timestamp[first:last], prices=columns(candles.prices), ask=ask)


@pytest.mark.campaign
def test_ten_thousand_markets_replay_as_they_backtest() -> None:
    for seed in range(10_000):
        test_a_replayed_market_is_the_backtest(seed)
