"""The live path over kept candles does what the backtest does: same orders, fills, trades, verdicts, equity and cash, to the last unit."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sptrader_desktop import compose
from sptrader_desktop.core.broker_messages import Request, Transaction
from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.rules import RuleHits
from sptrader_desktop.core.simulation import make_job, run
from sptrader_desktop.core.terms import Terms
from sptrader_desktop.runtime.live.paper import PaperBroker
from sptrader_desktop.runtime.live.replay import MOST_UNWRITTEN, Published, Replay, new_account
from sptrader_desktop.runtime.live.session import Session
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.settings import load_settings
from tests.command_line import STRATEGIES
from tests.golden import golden_case
from tests.markets import random_case
from tests.parity import first_unlike, job_of
from tests.simulated_disk import SimulatedDisk, SimulatedJournal

DATASETS = """
    GBPUSD_1m_2012-02-01_2012-03-01_fxcm_ask GBPUSD_1m_2012-02-01_2012-03-01_fxcm_bid BTCUSD_1h_2017-05-23_2023-09-11_snowguru
    XAUUSD_1h_2012-05-17_2022-03-04_mt5_ejtrader USDJPY_1h_2012-11-16_2022-03-04_mt5_ejtrader
    EURUSD_1h_2009-10-01_2018-07-05_fxcm_ask EURUSD_1h_2009-10-01_2018-07-05_fxcm_bid
    EURUSD_1h_2007-01-01_2018-12-31_oanda_ask EURUSD_1h_2007-01-01_2018-12-31_oanda_bid
    EURUSD_1s_2014-05-01_2014-05-15_oanda_ba EURUSD_1m_2018-01-01_2019-12-31_histdata_bid USDJPY_1m_2018-01-01_2019-12-31_histdata_bid
""".split()


@pytest.mark.parametrize("seed", range(40))
def test_a_replayed_market_is_the_backtest(seed: int) -> None:
    assert difference(seed) is None


def difference(seed: int) -> str | None:
    case = random_case(seed)
    job = job_of(case)
    symbols = tuple(candles.symbol for candles in (*case.candles, *case.rates))
    return first_unlike(Replay(job, symbols).run(), run(job))


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


class Commits(SimulatedJournal):
    """Remembers how much each one wrote down; `told` is what a broker has answered since the last."""

    def __init__(self) -> None:
        super().__init__(SimulatedDisk())
        self.sizes, self.told = list[int](), 0

    def append(self, entries: Sequence[tuple[str, bytes]]) -> int:
        self.sizes.append(len(entries))
        self.told = 0
        return super().append(entries)


def test_a_replay_writes_down_all_that_led_to_a_request_before_the_broker_hears_it_and_never_holds_much_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, sizes = 0, list[int]()
    for seed in range(6):
        job, journal = job_of(case := random_case(seed)), Commits()
        replay = Replay(job, tuple(candles.symbol for candles in (*case.candles, *case.rates)), journal)

        def heard(request: Request, replay: Replay = replay, journal: Commits = journal) -> list[Transaction]:
            nonlocal asked
            assert replay.session.unwritten == journal.told, "nothing waits but what the broker itself answered"
            asked, answer = asked + 1, PaperBroker.ask(replay.broker, request)
            journal.told += len(answer)
            return answer

        monkeypatch.setattr(replay.broker, "ask", heard)
        replay.run()
        sizes += journal.sizes
    assert asked > 20
    assert max(sizes) < 2 * MOST_UNWRITTEN


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
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(20))
def test_ten_thousand_markets_replay_as_they_backtest(part: int) -> None:
    unlike = {seed: wrong for seed in range(part * 500, (part + 1) * 500) if (wrong := difference(seed))}
    assert not unlike


@pytest.mark.campaign
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("strategy", sorted(STRATEGIES.glob("*.yaml")), ids=lambda path: path.stem)
@pytest.mark.parametrize("name", DATASETS)
def test_every_strategy_replays_every_dataset_as_it_backtests(name: str, strategy: Path, reference: Path) -> None:
    """Rules asked bar by bar, decisions by the account, fills by the paper broker."""
    settings, recipe = load_settings(), Recipe(str(strategy), (str(reference / "data" / f"{name}.parquet"),))
    result = compose.run_prepared(compose.prepare(recipe, settings, compose.strategy_of(recipe, settings)))[0]
    symbols = tuple(candles.symbol for candles in (*result.request.traded, *result.request.rates))
    replayed = Replay(result.job, symbols).run(Published(result.request.strategy, result.events).hits)
    assert first_unlike(replayed, result.outcome) is None
