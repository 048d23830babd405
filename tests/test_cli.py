"""The command line: its exit codes, its two streams, the JSON contract, each option's effect, and that it ends cleanly however it ends."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sptrader_desktop import compose
from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.core.simulation import Progress
from tests.candle_builders import parquet
from tests.command_line import ROOT, SAMPLE, STRATEGIES, STRATEGY, Said, document, refused, sptrader

KEYS = (
    "total_trades winning_trades losing_trades total_pnl max_drawdown sharpe_ratio start_capital end_capital metrics signals_generated "
    "order_decisions executed_orders completed_trades final_portfolio daily_returns equity_band manifest"
)
TRADE_KEYS = (
    "id symbol side entry_time entry_price exit_time exit_price quantity gross_pnl commission financing pnl currency pnl_percent "
    "exit_reason holding_period_hours ambiguous"
)
EVERY_ENTRY = """\
name: every_cross
version: "1"
dependencies: {{signals: [signals.ma_crossover]}}
entry: {{when: [{{signal: ma_crossover, outputs: {{crossover_type: golden_cross}}}}], action: buy, size: {{mode: units, value: 10000}}}}
exit:
  signal_exit: {{when: [{{signal: ma_crossover, outputs: {{crossover_type: death_cross}}}}], action: close_all}}
  {more}
"""


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of its own for each test."""
    monkeypatch.setenv("SPTRADER_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def strategy(folder: Path, more: str = "time_exit: {bars: 500}") -> Path:
    path = folder / "every_cross.yaml"
    path.write_text(EVERY_ENTRY.format(more=more), encoding="utf-8")
    return path


def in_process_of_its_own(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sptrader_desktop", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, encoding="utf-8", check=False)


def waves(folder: Path, symbol: str, one: int, middle: int, first: str = "2024-02-01", bars: int = 600) -> Path:
    """Hourly candles around `middle` ticks, where `one` ticks are a price of 1; slow waves, so that averages cross."""
    hours = np.arange(bars)
    close = middle + np.rint(middle / 200 * np.sin(hours / 25)).astype(np.int64) + hours % 3
    opens = np.concatenate([close[:1], close[:-1]])
    reach = middle // 2_000
    high, low = np.maximum(opens, close) + reach, np.minimum(opens, close) - reach
    stamps = (np.datetime64(first, "us") + hours * np.timedelta64(3_600_000_000, "us")).astype(np.int64)
    columns = {"timestamp": stamps, "open": opens / one, "high": high / one, "low": low / one, "close": close / one}
    return parquet(folder / f"{symbol}_1h_{first}.parquet", columns)


# Exit codes and streams


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 2),
        (("fly",), 2),
        (("check",), 2),
        (("backtest", STRATEGY), 2),
        (("backtest", STRATEGY, "--data", SAMPLE, "--fill", "never"), 2),
        (("backtest", STRATEGY, "--data", SAMPLE, "--leverag", "5"), 2),
        (("explain", "latest"), 2),
        (("--help",), 0),
        (("backtest", "--help"), 0),
        (("--version",), 0),
        (("check", STRATEGY), 0),
        (("check", "no.yaml"), 1),
        (("runs",), 0),
        (("verify", "latest"), 1),
    ],
)
def test_exit_codes_are_done_failed_and_not_understood(arguments: tuple[str | Path, ...], code: int) -> None:
    said = sptrader(*arguments)
    assert said.code == code
    assert bool(said.out) is (code == 0)
    assert bool(said.err) is (code != 0)


def test_each_shipped_strategy_is_valid_and_trades(tmp_path: Path) -> None:
    for path in sorted(STRATEGIES.glob("*.yaml")):
        assert sptrader("check", path).out.startswith(f"{path}: ")
        assert document(path, "--data", SAMPLE)["total_trades"] > 5


def test_a_bad_strategy_gets_every_problem_at_its_place_and_nothing_is_run(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(STRATEGY.read_text().replace("take_profit: 0.04", "take_profit: 4").replace("action: buy", "action: bye"))
    for command in (("check", path), ("backtest", path, "--data", SAMPLE)):
        said = sptrader(*command)
        lines = said.err.splitlines()
        assert (said.code, said.out) == (1, "")
        assert lines[0].startswith(f"{path}:24:11: entry.action = bye: ")
        assert "did you mean 'buy'" in lines[0]
        assert lines[1].startswith(f"{path}:34:42: exit.take_profit.value = parameters.take_profit (4): ")
        assert lines[2:] == [f"sptrader: 2 problems in {path}"]


def test_checking_a_strategy_loads_neither_qt_nor_numba_nor_pandas() -> None:
    script = (
        "import sys; from sptrader_desktop.cli import run; code = run(['check', sys.argv[1]]); "
        "heavy = {'numba', 'numpy', 'pandas', 'pyarrow', 'PySide6'} & set(sys.modules); sys.exit(code or ' '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(STRATEGY)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "is valid" in done.stdout


def test_a_strategy_is_refused_before_the_engine_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("name: 1\n")
    script = "import sys; from sptrader_desktop.cli import run; run(sys.argv[1:]); print('numba' in sys.modules)"
    command = [sys.executable, "-c", script, "backtest", str(path), "--data", str(SAMPLE)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout == "False\n"


# The JSON contract


def test_json_to_standard_output_is_all_there_is_on_it() -> None:
    said = sptrader("backtest", STRATEGY, "--data", SAMPLE, "--json", "-")
    assert (said.code, said.err) == (0, "")
    assert list(said.document) == sorted(KEYS.split())
    assert {tuple(trade) for trade in said.document["completed_trades"]} == {tuple(sorted(TRADE_KEYS.split()))}
    assert len(said.document["completed_trades"]) == said.document["total_trades"] == 27


def test_the_same_inputs_give_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    command = (
        "backtest",
        STRATEGIES / "ma_crossover_reverse.yaml",
        "--data",
        SAMPLE,
        "--no-store",
        "--commission",
        "3.5/lot",
        "--json",
        "-",
    )
    first = sptrader(*command)
    assert sptrader(*command) == first
    for seed in ("1", "2"):
        done = in_process_of_its_own(*command, PYTHONHASHSEED=seed, TZ="Asia/Tokyo", SPTRADER_RUNS=str(tmp_path / "elsewhere"))
        assert (done.returncode, done.stderr, done.stdout) == (0, "", first.out)


def test_json_goes_to_a_file_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out.json"
    command = ("backtest", STRATEGY, "--data", SAMPLE, "--no-store", "--json", out)
    out.write_text("what was there")

    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[:100])
        raise OSError(28, "No space left on device", str(self))

    with monkeypatch.context() as disk:
        disk.setattr(Path, "write_bytes", full)
        assert refused(*command).endswith(": No space left on device")
    assert out.read_text() == "what was there"
    said = sptrader(*command)
    assert "Profit" in said.out or "profit" in said.out
    assert json.loads(out.read_bytes()) == document(STRATEGY, "--data", SAMPLE)
    assert [path.name for path in tmp_path.iterdir() if path.name != "runs"] == ["out.json"]


def test_json_into_a_folder_that_is_not_there_is_refused_before_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose, "run_prepared", None)
    out = tmp_path / "nowhere" / "out.json"
    assert refused("backtest", STRATEGY, "--data", SAMPLE, "--json", out) == f"--json {out}: there is no folder {out.parent}, make it first"


def test_a_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    fifo = tmp_path / "out.json"
    os.mkfifo(fifo)
    reader = subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE)
    assert sptrader("backtest", STRATEGY, "--data", SAMPLE, "--no-store", "--json", fifo).code == 0
    read, _ = reader.communicate()
    assert json.loads(read)["total_trades"] == 27
    assert fifo.is_fifo()


def test_totals_are_the_sums_of_the_trades(tmp_path: Path) -> None:
    costs = ("--commission", "3.5/lot,min=0.1", "--spread", "0.6", "--slippage", "0.1", "--financing", financing(tmp_path))
    for path in sorted(STRATEGIES.glob("*.yaml")):
        assert_books(document(path, "--data", SAMPLE, *costs))


def financing(folder: Path) -> Path:
    path = folder / "rates.yaml"
    path.write_text("EURUSD: {long: -0.025, short: 0.0125}\n")
    return path


def assert_books(read: dict[str, Any]) -> None:
    """Initial + gross − commissions + financing = end, to the last unit, and every total is that of the rows."""
    trades = read["completed_trades"]
    gross, commission, financed, net = (
        sum((Decimal(trade[key]) for trade in trades), Decimal(0)) for key in ("gross_pnl", "commission", "financing", "pnl")
    )
    start, end = Decimal(read["start_capital"]), Decimal(read["end_capital"])
    assert net == gross - commission + financed
    assert start + net == end == Decimal(read["final_portfolio"]["cash"]) == Decimal(read["final_portfolio"]["equity"])
    assert Decimal(read["total_pnl"]) == net == Decimal(read["equity_band"]["pnl"])
    assert (read["total_trades"], [trade["id"] for trade in trades]) == (len(trades), list(range(1, len(trades) + 1)))
    assert read["winning_trades"] == sum(Decimal(trade["pnl"]) > 0 for trade in trades)
    assert read["losing_trades"] == sum(Decimal(trade["pnl"]) < 0 for trade in trades)
    assert len(read["executed_orders"]) >= len(trades)
    assert commission > 0
    assert financed != 0


# What is kept


def test_a_run_is_kept_explained_verified_and_listed(runs: Path) -> None:
    assert "keeps one" in sptrader("runs").out
    kept = sptrader("backtest", STRATEGY, "--data", SAMPLE)
    assert "r0001-ma_crossover" in kept.out.splitlines()[-1]
    explained = sptrader("explain", "latest", "--at", "2024-03-01T14:30Z")
    assert explained.code == 0
    assert "EURUSD 1h, bar 1046: 2024-03-01 14:00" in explained.out
    assert sptrader("explain", "r0001-ma_crossover", "--at", "2024-03-01T15:30+01:00").out == explained.out
    assert sptrader("verify", "latest").out.startswith("r0001-ma_crossover: the same to the byte")
    assert sptrader("runs").out.count("\n") == 1
    examined = sptrader("doctor")
    assert examined.code == 0
    assert "BAD" not in examined.out
    assert "compiled" in examined.out


def test_no_store_keeps_nothing_and_not_even_a_folder(runs: Path) -> None:
    assert sptrader("backtest", STRATEGY, "--data", SAMPLE, "--no-store").code == 0
    assert not runs.exists()


def test_verify_and_explain_do_as_the_run_was_asked_for(tmp_path: Path) -> None:
    data = waves(tmp_path, "EURUSD", 100_000, 110_000)
    odd = data.rename(tmp_path / "prices.parquet")
    options = ("--param", "fast_period=10", "--fill", "close", "--from", "2024-02-05", "--spread", "0.8", "--capital", "5000.5")
    named = ("--symbol", "EURUSD", "--timeframe", "1h")
    assert sptrader("backtest", STRATEGY, "--data", odd, *named, *options).code == 0
    assert sptrader("verify", "latest").code == 0
    assert sptrader("explain", "latest", "--at", "2024-02-06").code == 0
    odd.write_bytes(waves(tmp_path, "EURUSD", 100_000, 110_100).read_bytes())
    said = sptrader("verify", "latest")
    assert (said.code, said.out) == (1, "")
    assert "candles" in said.err
    assert "`sptrader verify r0001-ma_crossover` says what has changed" in refused("explain", "latest", "--at", "2024-02-06")


def test_explaining_asks_for_a_bar_and_for_a_symbol_that_the_run_has(tmp_path: Path) -> None:
    data = [waves(tmp_path, symbol, 100_000, 110_000) for symbol in ("EURUSD", "GBPUSD")]
    assert sptrader("backtest", STRATEGY, "--data", *data).code == 0
    assert "trades EURUSD, GBPUSD: say which with --symbol" in refused("explain", "latest", "--at", "2024-02-06")
    assert "GBPUSD 1h" in sptrader("explain", "latest", "--at", "2024-02-06", "--symbol", "GBPUSD").out
    assert "does not trade USDJPY: it trades EURUSD, GBPUSD" in refused("explain", "latest", "--at", "2024-02-06", "--symbol", "USDJPY")
    assert "outside the EURUSD candles: give a time from" in refused("explain", "latest", "--at", "2023-01-01", "--symbol", "EURUSD")
    assert "give a date like 2024-03-01" in refused("explain", "latest", "--at", "noon", "--symbol", "EURUSD")


def test_doctor_names_what_is_broken_and_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPTRADER_WORKSPACE", str(tmp_path / "workspace"))
    assert sptrader("doctor").code == 0
    (tmp_path / "workspace" / "core" / "signals" / "mine.py").write_text("__metadata_version__ = 1\n")
    said = sptrader("doctor")
    assert said.code == 1
    assert next(line for line in said.out.splitlines() if line.startswith("BAD")).endswith(
        "mine.py:1: __metadata_version__ must be 2: write it above __metadata__"
    )


# Options


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
    assert document(path, "--data", SAMPLE, gbp, "--ask", eur)["manifest"]["data"][1]["has_ask"] is False


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
    assert document(path, "--data", cross, "--rates", gbp)["manifest"]["rates"][0]["symbol"] == "GBPUSD"
    late = waves(tmp_path, "GBPUSD", 100_000, 126_000, first="2024-02-02")
    assert "its rates do not cover the candles of EURGBP" in refused("backtest", path, "--data", cross, "--rates", late)


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


# However it ends


def test_progress_tells_percent_equity_open_positions_and_trades(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sptrader_desktop.cli import progress

    monkeypatch.setattr(progress, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(progress, "BETWEEN_SECONDS", 0.0)
    line = progress.ProgressLine()
    line(Progress(0.25, 1_234_550_000_000, 2, 1_017))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("\r 25%  equity 12,345.50  open 2  trades 1,017  ")
    line.wipe()
    assert capsys.readouterr().err.strip() == ""


def test_a_run_that_is_interrupted_says_so_and_stores_nothing(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sptrader_desktop.cli import progress

    calls = []

    def interrupted(self: progress.ProgressLine, told: Progress) -> None:
        calls.append(told.fraction)
        if told.fraction > 0.5:
            raise KeyboardInterrupt

    monkeypatch.setattr(compose, "is_terminal", lambda: True)
    monkeypatch.setattr(progress.ProgressLine, "__call__", interrupted)
    out = tmp_path / "out.json"
    assert refused("backtest", STRATEGY, "--data", SAMPLE, "--json", out) == "stopped; nothing was stored"
    assert 0.5 < calls[-1] < 0.6
    assert not runs.exists()
    assert not out.exists()


@pytest.mark.parametrize("arguments", [("--help",), ("backtest", STRATEGY, "--data", SAMPLE, "--no-store", "--json", "-"), ("runs",)])
def test_a_reader_who_leaves_early_hears_no_complaint(arguments: tuple[str | Path, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "sptrader_desktop", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert done.stderr == ""
    assert done.returncode in (0, 1)


def test_a_terminal_of_few_letters_does_not_end_the_program() -> None:
    assert sptrader("backtest", STRATEGY, "--data", SAMPLE).code == 0
    done = in_process_of_its_own("explain", "latest", "--at", "2024-03-01T14:00Z", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u2713 passed" in done.stdout


def test_json_is_utf8_whatever_the_terminal_speaks(tmp_path: Path) -> None:
    data = tmp_path / "EURUSD_1h_größe.parquet"
    data.write_bytes(SAMPLE.read_bytes())
    done = in_process_of_its_own("backtest", STRATEGY, "--data", data, "--no-store", "--json", "-", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["manifest"]["data"][0]["file"] == "EURUSD_1h_größe.parquet"


def test_a_file_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    data = Path(os.fsdecode(os.fsencode(tmp_path) + b"/EURUSD_1h_\xff.parquet"))
    data.write_bytes(SAMPLE.read_bytes())
    assert "EURUSD_1h_\\udcff.parquet: its name is not UTF-8 text" in refused("backtest", STRATEGY, "--data", data)


def test_a_defect_is_one_line_and_a_file_to_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("of ours")

    monkeypatch.setattr(compose, "run_prepared", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    said: Said = sptrader("backtest", STRATEGY, "--data", SAMPLE, "--json", "-")
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    (kept,) = tmp_path.glob("sptrader-defect-*.txt")
    assert said.err == f"sptrader: this is a defect of the program, please report it with {kept}\n"
    assert "ZeroDivisionError: of ours" in kept.read_text()
    assert "Traceback" in kept.read_text()


def test_an_error_of_the_disk_names_the_file(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs.write_text("a file where a folder belongs")
    assert str(runs) in refused_after_report("backtest", STRATEGY, "--data", SAMPLE)


def refused_after_report(*arguments: str | Path) -> str:
    """The result was shown, but something after it failed."""
    said = sptrader(*arguments)
    assert (said.code, said.err.count("\n")) == (1, 1)
    return said.err
