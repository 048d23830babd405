"""A backtest as a whole: rows checked by hand in every account, what bars hide bounded by the band, figures that agree with tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.core.candles import Candles, Int64Array, Prices
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.metrics_trades import net_results
from sptrader_desktop.core.results import Request, Result
from sptrader_desktop.core.simulation import Progress
from sptrader_desktop.core.terms import IntrabarPolicy, Terms
from sptrader_desktop.ports import Answer, ComponentJob
from sptrader_desktop.runtime.backtest import backtest, what_if
from tests.candle_walks import walk
from tests.command_line import STRATEGY, document
from tests.edits import edited
from tests.small_runs import TEXT, SetEvents, request, runner, small_run, strategy
from tests.strategy_texts import parsed

pytestmark = pytest.mark.usefixtures("trusted")
HOUR_US = 3_600_000_000
MONEY = 10**8

# Each account by hand


@dataclass(frozen=True, slots=True, eq=False)
class Rate:
    """Hourly candles as a source of rates: what was last known of them at a fill, by the rule alone."""

    candles: Candles

    def at(self, stamp: int, *, at_the_end: bool) -> Fraction:
        """The open of a bar that opens now, else the last close before; at the end of the data every close is known."""
        stamps, prices = self.candles.timestamp, self.candles.prices
        row = int(np.searchsorted(stamps, stamp, side="right")) - 1
        opens_now = int(stamps[row]) == stamp and not at_the_end
        return Fraction(int((prices.open if opens_now else prices.close)[row]), self.candles.instrument.ticks_per_one)


def micros(text: str) -> int:
    return int(np.datetime64(text.removesuffix("Z"), "us").astype(np.int64))


def money(value: Fraction) -> Decimal:
    """Rounded once, half to even, to 1e-8."""
    return Decimal(round(value * MONEY)).scaleb(-8)


def assert_by_hand(trade: dict[str, Any], path: str, rates: dict[str, Rate], percent: Fraction) -> None:
    """`path` says how the quote currency becomes the account's: `own` is the traded pair itself, / divides."""

    def ratio(end: str) -> Fraction:
        found = Fraction(1)
        for leg in path.split():
            name = leg.lstrip("*/")
            at_the_end = end == "exit" and trade["exit_reason"] == "end_of_data"
            price = (
                Fraction(trade[f"{end}_price"]) if name == "own" else rates[name].at(micros(trade[f"{end}_time"]), at_the_end=at_the_end)
            )
            found = found * price if leg[0] == "*" else found / price
        return found

    entry, exit_, quantity = (Fraction(trade[key]) for key in ("entry_price", "exit_price", "quantity"))
    side = 1 if trade["side"] == "long" else -1
    notional = [money(price * quantity * ratio(end)) for end, price in (("entry", entry), ("exit", exit_))]
    assert Decimal(trade["gross_pnl"]) == money((exit_ - entry) * side * quantity * ratio("exit"))
    assert Decimal(trade["commission"]) == sum(money(Fraction(amount) * percent) for amount in notional)
    assert Decimal(trade["pnl"]) == Decimal(trade["gross_pnl"]) - Decimal(trade["commission"]) + Decimal(trade["financing"])
    assert trade["pnl_percent"] == pytest.approx(float(100 * Decimal(trade["pnl"]) / notional[0]), rel=1e-12)


FILES = {
    "EURUSD": "EURUSD_1h_2007-01-01_2018-12-31_oanda_bid.parquet",
    "USDJPY": "USDJPY_1h_2012-11-16_2022-03-04_mt5_ejtrader.parquet",
    "XAUUSD": "XAUUSD_1h_2012-05-17_2022-03-04_mt5_ejtrader.parquet",
    "BTCUSD": "BTCUSD_1h_2017-05-23_2023-09-11_snowguru.parquet",
}
PATHS = {
    ("EURUSD", "USD"): "",
    ("EURUSD", "EUR"): "/own",
    ("EURUSD", "JPY"): "*USDJPY",
    ("USDJPY", "USD"): "/own",
    ("USDJPY", "EUR"): "/own /EURUSD",
    ("USDJPY", "JPY"): "",
    ("XAUUSD", "USD"): "",
    ("XAUUSD", "EUR"): "/EURUSD",
    ("XAUUSD", "JPY"): "*USDJPY",
    ("BTCUSD", "USD"): "",
    ("BTCUSD", "EUR"): "/EURUSD",
    ("BTCUSD", "JPY"): "*USDJPY",
}


@pytest.mark.parametrize(("symbol", "currency"), PATHS)
def test_on_real_candles_every_row_is_the_arithmetic_of_its_prices_and_rates(reference: Path, symbol: str, currency: str) -> None:
    path = PATHS[symbol, currency]
    needed = [name for name in ("EURUSD", "USDJPY") if name in path]
    span = ("--from", "2018-01-03", "--to", "2018-03-15")
    capital = "5000000" if currency == "JPY" else "50000"
    params = ["fast_period=8", "slow_period=20", "position_size=0.9", "stop_loss=0.004", "take_profit=0.006"]
    costs = ["--commission", "0.0025%", *(word for param in params for word in ("--param", param))]
    rate_files = [reference / "data" / FILES[name] for name in needed]
    account = ["--currency", currency, "--capital", capital, *with_rates(rate_files)]
    read = document(STRATEGY, "--data", reference / "data" / FILES[symbol], *span, *account, *costs)
    assert read["total_trades"] >= 10
    reasons = {trade["exit_reason"] for trade in read["completed_trades"]}
    assert {"stop_loss", "signal_exit"} <= reasons or {"stop_loss", "take_profit"} <= reasons
    rates = {name: Rate(load_candles(file)) for name, file in zip(needed, rate_files, strict=True)}
    for trade in read["completed_trades"]:
        if trade["exit_reason"] != "end_of_data" or not needed:  # the rates here go on after the end of the run
            assert_by_hand(trade, path, rates, Fraction(25, 10**6))
    assert Decimal(read["end_capital"]) == Decimal(capital) + sum(Decimal(trade["pnl"]) for trade in read["completed_trades"])


@pytest.mark.parametrize(("currency", "path"), [("USD", "*GBPUSD"), ("EUR", "/own"), ("JPY", "*GBPUSD *USDJPY"), ("GBP", "")])
def test_a_cross_is_converted_directly_inversely_or_through_the_dollar(tmp_path: Path, currency: str, path: str) -> None:
    series = {name: walk(tmp_path, name, one, middle, seed) for seed, (name, one, middle) in enumerate(CROSSES)}
    needed = [name for name in series if name in path]
    rates = with_rates([series[name] for name in needed])
    read = document(
        STRATEGY, "--data", series["EURGBP"], *rates, "--currency", currency, "--commission", "0.003%", "--param", "fast_period=5"
    )
    assert read["total_trades"] > 8
    known = {name: Rate(load_candles(series[name])) for name in needed}
    for trade in read["completed_trades"]:
        assert_by_hand(trade, path, known, Fraction(3, 10**5))


def with_rates(files: list[Path]) -> list[str]:
    return ["--rates", *map(str, files)] if files else []


CROSSES = (("EURGBP", 100_000, 86_000), ("GBPUSD", 100_000, 126_000), ("USDJPY", 1_000, 150_000))


# What the inside of a bar hides

STEPS, FINE_STEPS, BARS = 400, 20, 8  # a bar of 400 steps of one tick, as 20 finer candles
STOP, TARGET = 10, 12  # ticks: a finer candle of 20 steps cannot hold both
ONE_TRADE = """\
name: one_trade
version: "1"
dependencies: {{signals: [signals.cross]}}
entry: {{when: [{{signal: cross}}], action: {action}, size: {{mode: units, value: 1000}}}}
exit:
  stop_loss: {{type: pips, value: 1}}
  take_profit: {{type: pips, value: 1.2}}
"""


def path_of(seed: int) -> Int64Array:
    """A price that moves by one tick at a time, so that it passes every level between two prices."""
    steps = np.random.default_rng(seed).choice(np.array([-1, 1]), STEPS * BARS)
    return 110_000 + np.concatenate([[0], np.cumsum(steps)]).astype(np.int64)


def bars_of(path: Int64Array, steps: int, timeframe: str) -> Candles:
    """Each bar holds the price it opens at and the one it closes at: the next one opens there."""
    starts = np.arange(0, len(path) - 1, steps)
    windows = np.stack([path[start : start + steps + 1] for start in starts])
    bar_us = HOUR_US * steps // STEPS
    stamps = micros("2024-01-02T08:00") + np.arange(len(starts), dtype=np.int64) * bar_us
    prices = Prices(windows[:, 0], windows.max(axis=1), windows.min(axis=1), windows[:, -1])
    return Candles(CATALOGUE["EURUSD"], timeframe, bar_us, stamps, prices)


def one_trade(path: Int64Array, action: str, *, finer: bool = False, intrabar: IntrabarPolicy = "stop_first") -> Result:
    candles, events = bars_of(path, STEPS, "1h"), SetEvents({"signals.cross": [(0, "up", 1.0)]})
    fine = {"EURUSD": bars_of(path, FINE_STEPS, "3m")} if finer else {}
    return backtest(Request(parsed(ONE_TRADE.format(action=action)), Terms(intrabar=intrabar), (candles,), (), fine), events)


def true_profit(path: Int64Array, action: str) -> int:
    """Bought or sold at the open of bar 1 and followed tick by tick; 1e-8 dollars."""
    side = 1 if action == "buy" else -1
    moved = (path[STEPS:] - path[STEPS]) * side
    ended = np.flatnonzero((moved <= -STOP) | (moved >= TARGET))
    return int(moved[ended[0] if len(ended) else -1]) * 1000 * 1000


@pytest.mark.parametrize("action", ["buy", "sell"])
def test_the_truth_lies_within_the_band_and_finer_candles_find_it(action: str) -> None:
    found = {"ambiguous": 0, "between": 0}
    for seed in range(100):
        path = path_of(seed)
        result, truth = one_trade(path, action), true_profit(path, action)
        assert len(result.outcome.trades) == 1
        assert result.band.low <= truth <= result.band.high
        assert {result.band.stop_first, result.band.target_first} == {result.band.low, result.band.high}
        if result.band.ambiguous_trades:
            found["ambiguous"] += 1
            assert result.band.stop_first < result.band.target_first
            assert one_trade(path, action, intrabar="target_first").outcome.final_cash - result.job.capital == result.band.target_first
        else:
            assert result.band.low == result.band.high == result.outcome.final_cash - result.job.capital
        settled = one_trade(path, action, finer=True)
        assert settled.band.ambiguous_trades == 0
        assert settled.band.resolved_trades == result.band.ambiguous_trades
        assert settled.band.low == settled.band.high == truth
        found["between"] += truth != result.band.stop_first and bool(result.band.ambiguous_trades)
    assert found["ambiguous"] > 10
    assert found["between"] > 5


# The result agrees with itself


@pytest.mark.parametrize("fill", ["next_open", "close"])
def test_figures_are_those_of_the_tables(fill: str) -> None:
    result = small_run(fill=fill)
    trades, measured, capital = result.outcome.trades, result.metrics, result.job.capital
    net = net_results(trades)
    assert len(trades) > 2
    assert measured.total_pnl == int(net.sum()) == result.outcome.final_cash - capital
    assert (measured.start_capital, measured.end_capital) == (capital, result.outcome.final_cash)
    assert (measured.trades.total, measured.trades.winning, measured.trades.losing) == (len(net), (net > 0).sum(), (net < 0).sum())
    assert int(result.outcome.equity[-1]) == result.outcome.final_cash
    peaks = np.maximum.accumulate(np.concatenate([[capital], result.outcome.equity]))
    falls = (peaks - np.concatenate([[capital], result.outcome.equity])) / peaks
    assert measured.drawdown.depth == pytest.approx(falls.max(), rel=1e-12)
    bought = result.outcome.fills["quantity"] * result.outcome.fills["side"]
    assert int(bought.sum()) == 0
    assert len(result.outcome.instants) == len(result.outcome.equity) == len(result.request.traded[0])


def test_the_policy_of_the_run_is_its_own_end_of_the_band() -> None:
    first, second = small_run(intrabar="stop_first"), small_run(intrabar="target_first")
    assert first.band.ambiguous_trades > 0
    assert (first.band.stop_first, first.band.target_first) == (second.band.stop_first, second.band.target_first)
    assert first.outcome.final_cash - first.job.capital == first.band.stop_first
    assert second.outcome.final_cash - second.job.capital == second.band.target_first


def test_progress_rises_to_one_and_ends_with_the_last_figures() -> None:
    told: list[Progress] = []
    result = backtest(request(), runner(), told.append)
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert told[-1].equity == int(result.outcome.equity[-1]) or told[-1].open_positions > 0
    assert [progress.trades for progress in told] == sorted(progress.trades for progress in told)
    assert max(progress.open_positions for progress in told) == 1


def test_one_symbol_from_two_sources_is_refused() -> None:
    asked = request()
    twice = Request(asked.strategy, asked.terms, asked.traded * 2)
    with pytest.raises(RunError, match="EURUSD is given twice: one account trades each symbol from one source"):
        backtest(twice, runner())


def test_a_stop_that_is_moved_moves_only_what_it_touches(tmp_path: Path) -> None:
    """Trades before the first exit that differs are the same rows."""
    wide = tmp_path / "wide.yaml"
    wide.write_text(edited(STRATEGY.read_text(), "stop_loss: 0.02 ", "stop_loss: 0.001 "), encoding="utf-8")
    data = walk(tmp_path, "EURUSD", 100_000, 110_000, 9)
    near, far = (document(path, "--data", data)["completed_trades"] for path in (wide, STRATEGY))
    first = next(row for row, (one, other) in enumerate(zip(near, far, strict=False)) if one != other)
    assert near[first]["entry_time"] == far[first]["entry_time"]
    assert near[first]["exit_reason"] == "stop_loss"
    assert near[first]["exit_time"] <= far[first]["exit_time"]


class Remembered(SetEvents):
    """Answers with the very same table, as a cache does."""

    def run(self, jobs: Sequence[ComponentJob]) -> list[Answer]:
        self._answers = getattr(self, "_answers", {})
        return [self._answers.setdefault(job.component, answer) for job, answer in zip(jobs, super().run(jobs), strict=True)]


def test_what_if_sees_that_true_became_one() -> None:
    events = Remembered({"signals.cross": [(2, "up", 1.0)], "signals.filter": [(0, "on", 1.0)]})
    by_truth, by_number = (TEXT.replace("{crossover_type: up}", f"{{fast: {value}}}") for value in ("true", "1"))
    before = backtest(request(by_truth), events)
    after = what_if(before, strategy(by_number), events)
    assert (len(before.outcome.trades), len(after.outcome.trades)) == (0, 1)
    assert what_if(after, strategy(by_number.replace("stop: 20", "stop: 10")), events).hits is after.hits
