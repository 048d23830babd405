"""The live path over kept candles does what the backtest does: same orders, fills, trades, verdicts, equity and cash, to the last unit."""

import json
import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sptrader_desktop import compose
from sptrader_desktop.core import facts
from sptrader_desktop.core.broker_messages import Request, Transaction
from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.live_book import BarOpen, BarRange, Hits
from sptrader_desktop.core.rules import RuleHits
from sptrader_desktop.core.simulation import make_job, run
from sptrader_desktop.core.terms import Terms
from sptrader_desktop.runtime.backtest import backtest
from sptrader_desktop.runtime.live.fact_text import fact_entry, read_fact
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
from tests.small_runs import BARS, request, runner

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


def test_the_facts_of_bars_are_written_as_json_writes_them_and_read_back_as_they_were() -> None:
    chance = random.Random(5)
    for _ in range(200):
        opened, closed = (
            [[chance.choice((0, -1, chance.randrange(-(2**63), 2**63))) for _ in kind._fields] for _ in range(chance.randrange(3))]
            for kind in (BarOpen, BarRange)
        )
        hits = tuple(
            Hits(s, 0, 1 << s, [chance.choice((float("inf"), -0.0, 1e300, chance.random()))] * s) for s in range(chance.randrange(3))
        )
        bars = facts.BarsOpened(7, tuple(BarOpen(*row) for row in opened)), facts.BarsClosed(7, tuple(BarRange(*row) for row in closed))
        for fact in (*bars, facts.Decided(7, hits, chance.choice(((), ("é",))))):
            kind, body = fact_entry(fact)
            assert body == json.dumps(fact, separators=(",", ":")).encode()
            assert fact_entry(read_fact(kind, body)) == (kind, body)
            assert type(read_fact(kind, body)) is type(fact)


def test_a_bar_that_no_table_can_hold_is_refused() -> None:
    """As a ValueError, by which a session knows that the broker told it amiss."""
    job = job_of(random_case(0))
    account = new_account(job, "replay", ("EURUSD",), latches=False)
    with pytest.raises(ValueError, match="cannot be kept"):
        account.apply(facts.BarsOpened(0, (BarOpen(0, 0, 2**63, 2**63, 0, 0),)))
    account.apply(facts.BarsOpened(0, ()))
    assert account.book.series["under"][0] == -1, "nothing of it opened"


def test_a_bar_is_replayed_in_few_calls() -> None:
    """The pace of a computer varies, what it is asked to do does not."""
    job, calls = backtest(request(bars=BARS * 100), runner()).job, 0

    def count(_frame: object, event: str, _about: object) -> None:
        nonlocal calls
        calls += event == "call"

    for profile in (None, count):  # the first loads what is compiled
        replay = Replay(job, ("EURUSD",), SimulatedJournal(SimulatedDisk()))
        sys.setprofile(profile)
        try:
            replay.run()
        finally:
            sys.setprofile(None)
    assert calls / len(job.tape.time) < 68


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
