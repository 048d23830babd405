"""The compiled engine against the plain one, against other programs' trade lists, against its own identities, and against itself."""

import os
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from sptrader_desktop.core import kernel
from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.money import MONEY_ONE, fixed
from sptrader_desktop.core.records import END_OF_DATA, EXIT_REASONS, PARTIAL, TAKE_PROFIT
from sptrader_desktop.core.rules import RuleHits
from sptrader_desktop.core.simulation import Job, Outcome, Progress, advance, empty_log, make_job, run, start_state, working_orders
from sptrader_desktop.core.strategy import EntryRule, Exits, Level, Size, Strategy
from sptrader_desktop.core.terms import Terms
from tests.golden import CLOSE_LISTS, HOUR_US, NEXT_OPEN_LISTS, golden_case, listed, rows_like
from tests.markets import ALWAYS, Case, cases, random_case
from tests.parity import compare, expected_of, first_difference, job_of, leaves_64_bits

PRICE_NAMES = ("open", "high", "low", "close")
TABLES = ("trades", "fills", "verdicts", "orders", "equity", "days")


def check_identities(case: Case, outcome: Outcome) -> None:
    """Design section 4, to the last unit."""
    trades, fills = outcome.trades, outcome.fills
    net = int(trades["gross"].sum() - trades["commission"].sum() + trades["financing"].sum())
    assert fixed(case.terms.capital) + net == outcome.final_cash == outcome.equity[-1]
    flat = Counter[tuple[int, int]]()
    for fill in fills:
        flat[int(fill["symbol"]), int(fill["position"])] += int(fill["side"] * fill["quantity"])
    assert set(flat.values()) <= {0}
    assert trades["commission"].sum() == fills["commission"].sum()
    assert working_orders(outcome) == 0
    peaks = np.maximum.accumulate(np.maximum(outcome.equity, fixed(case.terms.capital)))
    assert outcome.account["worst"][0] == np.max((peaks - outcome.equity) / peaks, initial=0.0)


@settings(max_examples=400)
@given(cases())
def test_engine_and_oracle_agree_row_for_row_and_the_books_balance(case: Case) -> None:
    expected = expected_of(case)
    assert compare(case, expected) is None
    if not leaves_64_bits(case, expected):
        check_identities(case, run(job_of(case)))


@pytest.mark.campaign
@pytest.mark.parametrize("thousand", range(int(os.environ.get("SPTRADER_CAMPAIGN_THOUSANDS", "10"))))
def test_engine_and_oracle_agree_on_ten_thousand_markets(thousand: int) -> None:
    different = [found for seed in range(thousand * 1000, thousand * 1000 + 1000) if (found := compare(random_case(seed)))]
    assert different == []
    for seed in range(thousand * 1000, thousand * 1000 + 1000, 10):
        case = random_case(seed)
        if not leaves_64_bits(case, expected_of(case)):
            check_identities(case, run(job_of(case)))


@pytest.mark.parametrize("seed", range(40))
def test_one_instant_at_a_time_gives_the_same_bytes_as_all_at_once(seed: int) -> None:
    """Replay and live enter the kernel once per event; the quiet stretches a long call may take must not show."""
    job = job_of(random_case(seed))
    whole, state = run(job), start_state(job)
    log = empty_log(job, state)
    for stamp in np.unique(np.concatenate([job.tape.time, job.tape.time + 1, whole.instants])):
        log = advance(job, state, log, int(stamp))
    kernel.finish(job.tape, job.plan, state, advance(job, state, log, kernel.NEVER - 1), END_OF_DATA)
    used = state.account[0]
    for name in ("trades", "fills", "verdicts", "orders"):
        assert getattr(log, name)[: used[name]].tobytes() == getattr(whole, name).tobytes(), name
    assert log.equity[: used["instants"]].tobytes() == whole.equity.tobytes()
    assert used["worst"] == whole.account["worst"][0]


@settings(max_examples=60)
@given(cases())
def test_a_run_repeated_gives_identical_bytes_with_and_without_an_audience(case: Case) -> None:
    job, heard = job_of(case), list[Progress]()
    first, second = run(job), run(job, heard.append)
    for name in TABLES:
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes(), name
    assert heard[-1].fraction == 1.0
    assert heard[-1].trades <= len(first.trades)


@pytest.mark.parametrize("seed", range(40))
def test_an_engine_run_on_other_terms_does_not_pass_for_the_oracles(seed: int) -> None:
    """The comparison itself is tested."""
    case = random_case(seed)
    expected = expected_of(case)
    richer = replace(case, terms=replace(case.terms, capital=case.terms.capital + 1))
    assert first_difference(case, run(job_of(richer)), expected) is not None
    slipping = replace(case, terms=replace(case.terms, slippage_pips=case.terms.slippage_pips + 1))
    if any(fill["reason"] not in (-1, TAKE_PROFIT, PARTIAL) for fill in expected.fills):
        assert first_difference(case, run(job_of(slipping)), expected) is not None


@pytest.mark.parametrize("spec", list(NEXT_OPEN_LISTS))
def test_next_open_trades_are_those_of_backtesting_py_but_for_the_one_open_at_the_end(reference: Path, spec: str) -> None:
    case = golden_case(reference, spec, with_ask=False)
    outcome = run(make_job(case.strategy, Terms(Decimal(1_000_000)), [case.candles], [case.hits]))
    ours, theirs = rows_like(outcome.trades), listed(reference, NEXT_OPEN_LISTS[spec])
    last = -1 if outcome.trades["reason"][-1] == END_OF_DATA else len(ours)
    assert len(ours) == len(theirs)
    assert ours[:last] == theirs[:last]


@pytest.mark.parametrize("spec", list(CLOSE_LISTS))
def test_closes_with_real_bid_and_ask_are_those_of_nautilus(reference: Path, spec: str) -> None:
    case, (name, total) = golden_case(reference, spec, with_ask=True), CLOSE_LISTS[spec]
    outcome = run(make_job(case.strategy, Terms(Decimal(1_000_000), fill="close"), [case.candles], [case.hits]))
    assert rows_like(outcome.trades) == listed(reference, name)
    assert int(outcome.trades["gross"].sum()) == int(Decimal(total) * MONEY_ONE)


@pytest.mark.parametrize(
    ("spec", "fill", "total"),
    [("S1", "next_open", "-3658.20"), ("S1", "close", "-3682.70"), ("S4", "next_open", "-4446.40"), ("S4", "close", "-4472.80")],
)
def test_totals_are_the_consensus_of_all_engines(reference: Path, spec: str, fill: str, total: str) -> None:
    case = golden_case(reference, spec, with_ask=False)
    terms = Terms(Decimal(1_000_000), fill="close" if fill == "close" else "next_open")
    outcome = run(make_job(case.strategy, terms, [case.candles], [case.hits]))
    assert (len(outcome.trades), int(outcome.trades["gross"].sum())) == (615, int(Decimal(total) * MONEY_ONE))


def one_trade(price: int, last: int, **terms: Any) -> Job:
    """Bitcoin bought at the second bar's open, held while the price goes to `last`."""
    path = np.array([price] * 3 + [last] * 3, np.int64)
    stamps = np.arange(6, dtype=np.int64) * HOUR_US + 1_700_000_000_000_000
    candles = Candles(CATALOGUE["BTCUSD"], "1h", HOUR_US, stamps, Prices(path, path, path, path))
    entries = np.zeros((1, 6), np.bool_)
    entries[0, 0] = True
    size, exits = terms.pop("size"), terms.pop("exits", Exits())
    strategy = Strategy("one", "1", (EntryRule(ALWAYS, "long", Size("units", Decimal(size))),), exits)
    return make_job(strategy, Terms(leverage=Decimal(5000), **terms), [candles], [RuleHits(entries, np.zeros((0, 6), np.bool_))])


def test_a_product_too_large_for_exact_money_is_refused_not_wrapped() -> None:
    with pytest.raises(RunError, match="64 bits"):
        run(one_trade(5_000_000, 5_000_000, size=10**13, capital=Decimal(10**9)))


def test_a_sum_too_large_for_exact_money_is_refused_not_wrapped() -> None:
    """The profit alone fits and so does the cash; together they do not."""
    with pytest.raises(RunError, match="64 bits"):
        run(one_trade(400_000, 4_400_000, size=2_200_000, capital=Decimal(9_900_000_000)))


def test_near_the_end_of_64_bits_quiet_bars_leave_the_bar_to_the_ordinary_stages() -> None:
    """Twice the last price would not fit, what really happens does."""
    outcome = run(one_trade(3_000_000, 4_000_000, size=1_500_000, capital=Decimal(9_900_000_000)))
    assert int(outcome.trades["gross"][0]) == 1_500_000 * 10_000 * MONEY_ONE
    assert outcome.final_cash == (9_900_000_000 + 15_000_000_000) * MONEY_ONE


def test_a_partial_close_of_very_many_steps_is_its_exact_share() -> None:
    exits = Exits(take_profit=Level("pips", Decimal(1)), scale_out=True, partial_close_pct=Decimal("0.99"))
    outcome = run(one_trade(100_000, 100_200, size=10_000_000, capital=Decimal(9_900_000_000), exits=exits))
    assert outcome.trades["quantity"].tolist() == [99_000_000_000, 1_000_000_000]
    assert EXIT_REASONS[int(outcome.trades["reason"][0])] == "partial"


def test_a_fill_at_zero_or_below_is_refused() -> None:
    with pytest.raises(RunError, match="zero or below"):
        run(one_trade(100, 100, size=1, exits=Exits(time_exit=1), slippage_pips=Decimal(2)))


def test_rates_with_a_hole_and_symbols_that_end_early_are_refused() -> None:
    golden, dollar = random_candles("EURUSD", 500), random_candles("USDJPY", 500)
    strategy = Strategy("none", "1", (EntryRule(ALWAYS, "long", Size("units", Decimal(1))),))
    nothing = RuleHits(np.zeros((1, 500), np.bool_), np.zeros((0, 500), np.bool_))
    keep = np.r_[0:100, 300:500]
    holed = replace(dollar, timestamp=dollar.timestamp[keep], prices=Prices(*(getattr(dollar.prices, n)[keep] for n in PRICE_NAMES)))
    make_job(strategy, Terms(currency="JPY"), [golden], [nothing], [dollar])
    with pytest.raises(RunError, match=r"USDJPY: it has no rate for 8 days after .*: give rates without that hole"):
        make_job(strategy, Terms(currency="JPY"), [golden], [nothing], [holed])
    short = replace(dollar, timestamp=dollar.timestamp[:300], prices=Prices(*(getattr(dollar.prices, n)[:300] for n in PRICE_NAMES)))
    fewer = RuleHits(nothing.entries[:, :300], nothing.exits[:, :300])
    with pytest.raises(RunError, match=r"USDJPY ends on .* and EURUSD goes on: end the run there with --to"):
        make_job(strategy, Terms(), [golden, short], [nothing, fewer])


def random_candles(symbol: str, bars: int) -> Candles:
    path = 110_000 + np.cumsum(np.random.default_rng(1).integers(-5, 6, bars))
    stamps = np.arange(bars, dtype=np.int64) * HOUR_US + 1_700_000_000_000_000
    return Candles(CATALOGUE[symbol], "1h", HOUR_US, stamps, Prices(path, path, path, path))


def test_whoever_hears_of_progress_may_stop_the_run() -> None:
    from sptrader_desktop.core.errors import Cancelled

    def stop(progress: Progress) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        run(job_of(random_case(1)), stop)
