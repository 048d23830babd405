"""The compiled engine against the plain one, against other programs' trade lists, against its own identities, and against itself."""

import os
from collections import Counter
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.core import kernel
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.money import MONEY_ONE, fixed
from sptrader_desktop.core.records import END_OF_DATA
from sptrader_desktop.core.simulation import Outcome, Progress, advance, empty_log, make_job, run, start_state, working_orders
from sptrader_desktop.core.terms import Terms
from tests.golden import CLOSE_LISTS, NEXT_OPEN_LISTS, golden_case, listed, rows_like
from tests.markets import Case, cases, random_case
from tests.parity import compare, job_of

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


@settings(max_examples=1000)
@given(cases())
def test_engine_and_oracle_agree_row_for_row_and_the_books_balance(case: Case) -> None:
    assert compare(case) is None
    check_identities(case, run(job_of(case)))


@pytest.mark.campaign
@pytest.mark.parametrize("thousand", range(int(os.environ.get("SPTRADER_CAMPAIGN_THOUSANDS", "10"))))
def test_engine_and_oracle_agree_on_ten_thousand_markets(thousand: int) -> None:
    different = [found for seed in range(thousand * 1000, thousand * 1000 + 1000) if (found := compare(random_case(seed)))]
    assert different == []
    for seed in range(thousand * 1000, thousand * 1000 + 1000, 10):
        check_identities(case := random_case(seed), run(job_of(case)))


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


@settings(max_examples=60)
@given(cases(60), st.sampled_from(["slippage", "leverage", "capital"]))
def test_a_changed_term_shows_in_the_comparison_wherever_it_can_matter(case: Case, changed: str) -> None:
    """The comparison itself is tested: an engine run on other terms must not pass for the oracle's."""
    from dataclasses import replace

    from tests.parity import expected_of, first_difference

    terms = {
        "slippage": replace(case.terms, slippage_pips=case.terms.slippage_pips + 1),
        "leverage": replace(case.terms, leverage=Decimal(1)),
        "capital": replace(case.terms, capital=case.terms.capital + 1),
    }[changed]
    outcome, expected = run(job_of(replace(case, terms=terms))), expected_of(case)
    if changed == "capital" or (changed == "slippage" and any(fill["order"] < 0 for fill in expected.fills if fill["reason"] != 1)):
        assert first_difference(case, outcome, expected) is not None or not expected.fills


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


def test_a_position_too_large_for_exact_money_is_refused_not_wrapped(reference: Path) -> None:
    case = golden_case(reference, "S1", with_ask=False)
    from dataclasses import replace

    from sptrader_desktop.core.strategy import Size

    huge = replace(case.strategy, entries=(replace(case.strategy.entries[0], size=Size("units", Decimal(10) ** 13)),))
    with pytest.raises(RunError, match="64 bits"):
        run(make_job(huge, Terms(Decimal(1_000_000), leverage=Decimal(5000)), [case.candles], [case.hits]))


def test_whoever_hears_of_progress_may_stop_the_run() -> None:
    from sptrader_desktop.core.errors import Cancelled

    def stop(progress: Progress) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        run(job_of(random_case(1)), stop)
