"""What each option of a backtest does to its rows, to the last unit, and what it refuses."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.runtime.recipe_values import terms_of
from tests.candle_builders import parquet
from tests.candle_walks import waves
from tests.command_line import SAMPLE, STRATEGY, document, financing, refused, sptrader

pytestmark = pytest.mark.usefixtures("trusted")
EVERY_ENTRY = """\
name: every_cross
version: "1"
dependencies: {{signals: [signals.ma_crossover]}}
entry: {{when: [{{signal: ma_crossover, outputs: {{crossover_type: golden_cross}}}}], action: buy, size: {{mode: units, value: 10000}}}}
exit:
  signal_exit: {{when: [{{signal: ma_crossover, outputs: {{crossover_type: death_cross}}}}], action: close_all}}
  {more}
"""


def strategy(folder: Path, more: str = "time_exit: {bars: 500}") -> Path:
    path = folder / "every_cross.yaml"
    path.write_text(EVERY_ENTRY.format(more=more), encoding="utf-8")
    return path


def test_a_parameter_is_replaced_and_the_manifest_says_so() -> None:
    read = document(STRATEGY, "--data", SAMPLE, "--param", "fast_period=10", "--param", "slow_period=30")
    assert read["manifest"]["parameters"]["fast_period"] == "10"
    assert read["total_trades"] > 27
    assert "write it as name=value" in refused("backtest", STRATEGY, "--data", SAMPLE, "--param", "fast_period")
    assert "is given twice" in refused("backtest", STRATEGY, "--data", SAMPLE, "--param", "risk=1", "--param", "risk=2")


def test_a_range_is_from_inclusive_to_exclusive() -> None:
    rows = document(STRATEGY, "--data", SAMPLE, "--from", "2024-02-01", "--to", "2024-03-01T10:00+02:00")["manifest"]["data"][0]
    assert (rows["first"], rows["last"]) == ("2024-02-01T00:00:00Z", "2024-03-01T07:00:00Z")


def test_fills_are_at_the_next_open_or_at_the_close(tmp_path: Path) -> None:
    path, candles = strategy(tmp_path), load_candles(SAMPLE)
    times = [str(np.datetime64(int(stamp), "us")).removesuffix(".000000") + "Z" for stamp in candles.timestamp]
    crosses = {signal["timestamp"] for signal in document(path, "--data", SAMPLE)["signals_generated"]}
    for fill, column, later in (("next_open", candles.prices.open, 1), ("close", candles.prices.close, 0)):
        trades = document(path, "--data", SAMPLE, "--fill", fill)["completed_trades"]
        assert len(trades) > 20
        for trade in trades:
            row = times.index(trade["entry_time"])
            assert Decimal(trade["entry_price"]) == Decimal(int(column[row])).scaleb(-5)
            assert times[row - later] in crosses


def test_the_inside_of_a_bar_is_read_as_asked_and_finer_candles_settle_it(tmp_path: Path) -> None:
    path = strategy(tmp_path, "stop_loss: {type: pips, value: 3}\n  take_profit: {type: pips, value: 3}")
    stop_first, target_first = (document(path, "--data", SAMPLE, "--intrabar", policy) for policy in ("stop_first", "target_first"))
    band = stop_first["equity_band"]
    assert band["ambiguous_trades"] > 0
    assert (band["stop_first"], band["target_first"]) == (stop_first["total_pnl"], target_first["total_pnl"])
    assert Decimal(stop_first["total_pnl"]) < Decimal(target_first["total_pnl"])
    settled = document(path, "--data", SAMPLE, "--finer", halves(tmp_path))["equity_band"]
    assert settled["ambiguous_trades"] + settled["resolved_trades"] == band["ambiguous_trades"]
    assert settled["resolved_trades"] > 0
    assert "is not finer than 1h" in refused("backtest", path, "--data", SAMPLE, "--finer", SAMPLE)
    stranger = waves(tmp_path, "GBPUSD", 100_000, 126_000)
    assert "for a symbol that --data trades" in refused("backtest", path, "--data", SAMPLE, "--finer", stranger)
    assert "give one file of finer candles" in refused("backtest", path, "--data", SAMPLE, "--finer", *[halves(tmp_path)] * 2)


def test_a_run_on_longer_candles_is_the_run_on_a_file_of_them_settled_by_what_they_were_made_of(tmp_path: Path) -> None:
    path, four_hours = (
        strategy(tmp_path, "stop_loss: {type: pips, value: 8}\n  take_profit: {type: pips, value: 8}"),
        tmp_path / "EURUSD_4h_x.parquet",
    )
    assert sptrader("data", "resample", SAMPLE, "--timeframe", "4h", "--out", four_hours).code == 0
    made = document(path, "--from", "2024-02-01", "--data", SAMPLE, "--resample", "4h")
    of_file = document(path, "--from", "2024-02-01", "--data", four_hours, "--finer", SAMPLE)
    assert made["equity_band"]["resolved_trades"] > 0
    assert [told["manifest"].pop("data")[0]["timeframe"] for told in (made, of_file)] == ["4h", "4h"]
    assert {**made, "manifest": {**made["manifest"], "finer": of_file["manifest"]["finer"]}} == of_file
    inside = ("--from", "2024-02-01", "--to", "2024-03-05 13:30")  # the last bar is over at 16:00
    both = ("--data", SAMPLE, "--resample", "4h"), ("--data", four_hours, "--finer", SAMPLE)
    of_both = [document(path, *inside, *given)["manifest"] for given in both]
    assert [told["finer"][0]["last"] for told in of_both] == ["2024-03-05T15:00:00Z"] * 2
    for own in ("1h", "60m"):  # no longer: the candles as they are
        as_they_are = document(path, "--data", SAMPLE, "--resample", own)
        assert as_they_are == document(path, "--data", SAMPLE)
    assert "--resample 30m: 1h candles of EURUSD cannot be made into 30m" in refused(
        "backtest", path, "--data", SAMPLE, "--resample", "30m"
    )
    assert "--resample 7h: candles cannot be resampled to 7h" in refused("backtest", path, "--data", SAMPLE, "--resample", "7h")


def halves(folder: Path) -> Path:
    """The sample as half hours: each bar goes to its low first and to its high afterwards."""
    candles = load_candles(SAMPLE)
    opens, highs, lows, closes = (getattr(candles.prices, name) for name in ("open", "high", "low", "close"))
    stamps = np.stack([candles.timestamp, candles.timestamp + candles.bar_us // 2], axis=1).ravel()

    def pair(first: Any, second: Any) -> Any:
        return np.stack([first, second], axis=1).ravel() / 100_000

    columns = {"open": pair(opens, lows), "high": pair(opens, highs), "low": pair(lows, lows), "close": pair(lows, closes)}
    return parquet(folder / "EURUSD_30m_halves.parquet", {"timestamp": stamps, **columns})


def test_spread_slippage_and_commission_are_paid_to_the_last_unit(tmp_path: Path) -> None:
    """Market orders of 10,000 units, no other exits: each cost is what it says, on every trade."""
    path = strategy(tmp_path)
    free = [Decimal(trade["pnl"]) for trade in document(path, "--data", SAMPLE)["completed_trades"]]

    def paid(*options: str) -> list[Decimal]:
        trades = document(path, "--data", SAMPLE, *options)["completed_trades"]
        return [before - Decimal(trade["pnl"]) for before, trade in zip(free, trades, strict=True)]

    count = len(free)
    assert count > 20
    assert paid("--spread", "0.6") == [Decimal("0.6")] * count
    assert paid("--slippage", "0.2") == [Decimal("0.4")] * count
    assert paid("--commission", "3.5/lot") == paid("--commission", "3.5") == [Decimal("0.7")] * count
    assert paid("--commission", "3.5/lot,min=0.5") == [Decimal(1)] * count
    assert paid("--commission", "min=0.25") == [Decimal("0.5")] * count
    trades = document(path, "--data", SAMPLE, "--commission", "0.002%")["completed_trades"]
    for trade in trades:
        prices = Decimal(trade["entry_price"]) + Decimal(trade["exit_price"])
        assert Decimal(trade["commission"]) == prices * Decimal(trade["quantity"]) * Decimal("0.00002")


def test_real_ask_prices_are_paid_whatever_the_ask_file_is_called_when_there_is_but_one(tmp_path: Path) -> None:
    path, candles = strategy(tmp_path), load_candles(SAMPLE)
    prices = {name: (getattr(candles.prices, name) + 7) / 100_000 for name in ("open", "high", "low", "close")}
    fixed = document(path, "--data", SAMPLE, "--spread", "0.7")
    for name in ("EURUSD_1h_ask.parquet", "eurusd_1h_ask.parquet", "other side.parquet"):
        ask = parquet(tmp_path / name, {"timestamp": candles.timestamp, **prices})
        real = document(path, "--data", SAMPLE, "--ask", ask)
        assert real["completed_trades"] == fixed["completed_trades"]
        assert real["manifest"]["data"][0]["has_ask"]
    gbp, other = waves(tmp_path, "GBPUSD", 100_000, 126_000), tmp_path / "other side.parquet"
    assert "no --data trades OTHER SIDE, name the ask file" in refused("backtest", path, "--data", SAMPLE, gbp, "--ask", other)
    eur = parquet(tmp_path / "EURUSD_1h_ask.parquet", {"timestamp": candles.timestamp, **prices})
    assert "EURUSD is given twice, keep one file" in refused("backtest", path, "--data", SAMPLE, gbp, "--ask", eur, eur)
    assert document(path, "--data", SAMPLE, gbp, "--ask", eur, "--to", "2024-02-25")["manifest"]["data"][1]["has_ask"] is False


def test_leverage_limits_what_is_opened(tmp_path: Path) -> None:
    path = strategy(tmp_path)
    read = document(path, "--data", SAMPLE, "--leverage", "1", "--capital", "5000")
    assert read["total_trades"] == 0
    verdicts = {row["reason"] for row in read["order_decisions"]}
    assert verdicts == {"margin"}
    assert document(path, "--data", SAMPLE, "--leverage", "2.25", "--capital", "5000")["total_trades"] > 20


def test_financing_is_charged_at_the_rolls(tmp_path: Path) -> None:
    path = strategy(tmp_path)
    charged = document(path, "--data", SAMPLE, "--financing", financing(tmp_path))["completed_trades"]
    nights = [Decimal(trade["financing"]) for trade in charged if trade["holding_period_hours"] > 24]
    assert nights
    assert all(night < 0 for night in nights)
    (tmp_path / "rates.yaml").write_text("EURUSD: {long: 2, short: 0}\nEURUZD: {long: 0, short: 0}\n")
    said = sptrader("backtest", path, "--data", SAMPLE, "--financing", tmp_path / "rates.yaml")
    assert (said.code, said.out, said.err.count("rates.yaml:")) == (1, "", 2)


def test_an_instruments_file_brings_a_symbol_of_its_own(tmp_path: Path) -> None:
    path, data = strategy(tmp_path), waves(tmp_path, "US30", 10, 380_000)
    assert "'US30' is not a known symbol" in refused("backtest", path, "--data", data)
    described = tmp_path / "instruments.yaml"
    described.write_text("instruments: {US30: {base: US30, quote: USD, tick: 0.1, pip: 1, step: 0.1, lot: 1}}\n")
    read = document(path, "--data", data, "--instruments", described, "--capital", "1000000000")
    assert {trade["symbol"] for trade in read["completed_trades"]} == {"US30"}
    assert read["completed_trades"][0]["quantity"] == "10000.0"


def test_an_oddly_named_file_is_told_its_symbol_and_timeframe(tmp_path: Path) -> None:
    odd = tmp_path / "my prices.parquet"
    odd.write_bytes(SAMPLE.read_bytes())
    assert "is not a known symbol" in refused("backtest", STRATEGY, "--data", odd)
    assert "does not say the timeframe" in refused("backtest", STRATEGY, "--data", odd, "--symbol", "EURUSD")
    named = ("--symbol", "EURUSD", "--timeframe", "1h")
    assert document(STRATEGY, "--data", odd, *named)["completed_trades"] == document(STRATEGY, "--data", SAMPLE)["completed_trades"]
    said = refused("backtest", STRATEGY, "--data", odd, SAMPLE, *named)
    assert said == "--symbol EURUSD: it cannot hold for 2 files of --data, name them <SYMBOL>_<timeframe>_…"


def test_several_files_are_one_account(tmp_path: Path) -> None:
    path = strategy(tmp_path)
    data = [waves(tmp_path, symbol, 100_000, middle) for symbol, middle in (("EURUSD", 110_000), ("GBPUSD", 126_000))]
    both = document(path, "--data", *data)
    alone = [document(path, "--data", one) for one in data]
    assert Decimal(both["total_pnl"]) == sum(Decimal(each["total_pnl"]) for each in alone)
    assert both["total_trades"] == sum(each["total_trades"] for each in alone)
    assert [each["symbol"] for each in both["manifest"]["data"]] == ["EURUSD", "GBPUSD"]
    assert "EURUSD is given twice" in refused("backtest", path, "--data", data[0], data[0])


def test_rates_are_asked_for_by_name_and_only_where_they_are_needed(tmp_path: Path) -> None:
    path = strategy(tmp_path)
    jpy, cross, gbp = (
        waves(tmp_path, symbol, one, middle)
        for symbol, one, middle in (("USDJPY", 1_000, 150_000), ("EURGBP", 100_000, 86_000), ("GBPUSD", 100_000, 126_000))
    )
    assert document(path, "--data", jpy)["total_trades"] >= 3
    said = refused("backtest", path, "--data", cross)
    assert said == "no rate from GBP to USD: add candles of GBPUSD or USDGBP (or of both against USD) with --rates PATH"
    said = refused("live", path, "--symbols", "EURGBP", "--timeframe", "1h", "--headless")
    assert said == "no rate from GBP to USD: name GBPUSD (or both currencies against USD) with --rates, and send its prices too"
    assert document(path, "--data", cross, "--rates", gbp)["manifest"]["rates"][0]["symbol"] == "GBPUSD"
    of_days = document(path, "--data", cross, "--rates", gbp, "--resample", "1d", "--to", "2024-02-06")["manifest"]
    assert of_days["data"][0]["last"] == "2024-02-05T22:00:00Z"
    assert of_days["rates"][0]["last"] == "2024-02-06T21:00:00Z", "until the last bar is over"
    late = waves(tmp_path, "GBPUSD", 100_000, 126_000, first="2024-02-02")
    assert "its rates begin after the candles of EURGBP" in refused("backtest", path, "--data", cross, "--rates", late)


def test_what_a_session_trades_is_asked_for_or_that_of_the_variables_that_publishers_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = strategy(tmp_path)
    assert "give --symbols, such as --symbols EURUSD, or set REALTIME_SYMBOL" in refused("live", path, "--headless")
    assert "give --timeframe, such as --timeframe 1m, or set REALTIME_TIMEFRAME" in refused(
        "live", path, "--symbols", "EURUSD", "--headless"
    )
    monkeypatch.setenv("REALTIME_SYMBOL", "EURGBP")
    monkeypatch.setenv("REALTIME_TIMEFRAME", "1h")
    assert refused("live", path, "--headless").startswith("no rate from GBP to USD")
    assert refused("live", path, "--headless", "--symbols", "NONESUCH").startswith("NONESUCH is not a known instrument")
    assert "one account trades one strategy" in refused("live", path, path, "--headless")


def test_the_rate_of_the_day_before_serves_a_run_that_begins_between_two_rates(tmp_path: Path) -> None:
    path, cross = strategy(tmp_path), waves(tmp_path, "EURGBP", 100_000, 86_000)
    stamps = (np.datetime64("2024-02-01", "us") + np.arange(30) * np.timedelta64(86_400_000_000, "us")).astype(np.int64)
    daily = parquet(
        tmp_path / "GBPUSD_1d.parquet", {"timestamp": stamps} | dict.fromkeys(("open", "high", "low", "close"), np.full(30, 1.25))
    )
    read = document(path, "--data", cross, "--rates", daily, "--from", "2024-02-05T06:00")
    assert read["total_trades"] >= 2
    for trade in read["completed_trades"]:
        moved = Decimal(trade["exit_price"]) - Decimal(trade["entry_price"])
        assert Decimal(trade["gross_pnl"]) == moved * Decimal(trade["quantity"]) * Decimal("1.25")


def test_an_option_that_takes_files_may_be_given_again(tmp_path: Path) -> None:
    path, gbp = strategy(tmp_path), waves(tmp_path, "GBPUSD", 100_000, 126_000)
    together = document(path, "--data", SAMPLE, gbp, "--to", "2024-02-25")
    assert document(path, "--data", SAMPLE, "--data", gbp, "--to", "2024-02-25") == together
    assert [item["symbol"] for item in together["manifest"]["data"]] == ["EURUSD", "GBPUSD"]


@pytest.mark.parametrize("given", ["0,002%", "3,5/lot", "3/lot,4/lot", "min=1,min=2", "3,0.01%"])
def test_a_commission_that_could_mean_two_things_is_refused(tmp_path: Path, given: str) -> None:
    assert refused("backtest", strategy(tmp_path), "--data", SAMPLE, "--commission", given).startswith(f"--commission {given}: ")


def test_hourly_candles_named_as_minutes_are_refused(tmp_path: Path) -> None:
    named = tmp_path / "EURUSD_5m_x.parquet"
    named.write_bytes(SAMPLE.read_bytes())
    assert "so they are not 5m: name their timeframe" in refused("backtest", strategy(tmp_path), "--data", named)


def test_one_pair_of_rates_given_twice_is_refused(tmp_path: Path) -> None:
    gbp, again = (waves(tmp_path, "GBPUSD", 100_000, 126_000, first=first) for first in ("2024-02-01", "2024-02-02"))
    said = refused("backtest", strategy(tmp_path), "--data", waves(tmp_path, "EURGBP", 100_000, 86_000), "--rates", gbp, again)
    assert "GBPUSD is given twice, keep one file" in said


def test_check_refuses_more_rules_than_the_engine_takes(tmp_path: Path) -> None:
    path = strategy(tmp_path)
    text = path.read_text()
    begin = text.index("entry:")
    end = text.index("exit:") if "exit:" in text[begin:] else len(text)
    one = "  - when: [{signal: ma_crossover}]\n    action: buy\n    size: 0.1\n"
    path.write_text(text[:begin] + "entry:\n" + one * 61 + text[end:])
    said = sptrader("check", path)
    assert said.code == 1
    assert "has 61 rules, 60 are the most" in said.err


def test_finer_candles_of_both_sides_settle_bars_of_both_sides(tmp_path: Path) -> None:
    """Four-hour bars made of the sample's hours, both sides seven ticks apart, with levels so near that bars hold both."""
    hours = load_candles(SAMPLE)
    four = hours.timestamp // (4 * 3_600_000_000)
    starts = np.flatnonzero(np.diff(four, prepend=-1))
    prices = {
        "open": hours.prices.open[starts],
        "high": np.maximum.reduceat(hours.prices.high, starts),
        "low": np.minimum.reduceat(hours.prices.low, starts),
        "close": hours.prices.close[np.append(starts[1:], len(hours)) - 1],
    }
    fine = {name: getattr(hours.prices, name) for name in prices}

    def side(name: str, stamps: Any, columns: dict[str, Any], up: int) -> Path:
        return parquet(tmp_path / name, {"timestamp": stamps, **{key: (column + up) / 100_000 for key, column in columns.items()}})

    stamps = four[starts] * 4 * 3_600_000_000
    bid, ask = side("EURUSD_4h_bid.parquet", stamps, prices, 0), side("EURUSD_4h_ask.parquet", stamps, prices, 7)
    finer, finer_ask = side("EURUSD_1h_bid.parquet", hours.timestamp, fine, 0), side("EURUSD_1h_ask.parquet", hours.timestamp, fine, 7)
    path = strategy(tmp_path, "stop_loss: {type: pips, value: 6}\n  take_profit: {type: pips, value: 6}")
    both = ("--data", bid, "--ask", ask)
    blurred = document(path, *both)["equity_band"]
    settled = document(path, *both, "--finer", finer, "--finer-ask", finer_ask)["equity_band"]
    assert blurred["ambiguous_trades"] > settled["ambiguous_trades"]
    assert settled["resolved_trades"] > 0
    assert "must have the same sides" in refused("backtest", path, *both, "--finer", finer)


@pytest.mark.parametrize(("name", "option"), [("fill", "--fill"), ("intrabar", "--intrabar")])
def test_a_kept_recipe_with_a_word_nobody_could_give_is_refused(name: str, option: str) -> None:
    recipe = Recipe.from_json({"strategy": "s.yaml", "data": ["d.parquet"], name: "somehow"})
    with pytest.raises(RunError, match=f"{option} somehow: give one of "):
        terms_of(recipe)
