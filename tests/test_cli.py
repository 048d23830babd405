"""The command line: its exit codes, its two streams, the JSON contract, each option's effect, and that it ends cleanly however it ends."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from sptrader_desktop import compose
from sptrader_desktop.cli.doctor import PACKAGES
from sptrader_desktop.core.simulation import Progress
from sptrader_desktop.runtime import manifest
from tests.candle_walks import waves
from tests.command_line import ROOT, SAMPLE, STRATEGIES, STRATEGY, Said, document, in_a_process_of_its_own, refused, sptrader

KEYS = (
    "total_trades winning_trades losing_trades total_pnl max_drawdown sharpe_ratio start_capital end_capital metrics signals_generated "
    "order_decisions executed_orders completed_trades final_portfolio daily_returns equity_band data_quality manifest"
)
TRADE_KEYS = (
    "id symbol side entry_time entry_price exit_time exit_price quantity gross_pnl commission financing pnl currency pnl_percent "
    "exit_reason holding_period_hours ambiguous"
)


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of its own for each test."""
    monkeypatch.setenv("SPTRADER_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


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


def test_a_backtest_of_what_is_remembered_loads_no_pandas() -> None:
    """Loading it takes as long as the rest."""
    command = ["backtest", str(STRATEGY), "--data", str(SAMPLE), "--no-store"]
    assert sptrader(*command).code == 0
    script = "import sys; from sptrader_desktop.cli import run; sys.exit(run(sys.argv[1:]) or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script, *command], cwd=ROOT, capture_output=True, check=False).returncode == 0


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
    done = in_a_process_of_its_own(*command, PYTHONHASHSEED="1", TZ="Asia/Tokyo", SPTRADER_RUNS=str(tmp_path / "elsewhere"))
    assert (done.returncode, done.stderr, done.stdout) == (0, "", first.out)
    replayed = in_a_process_of_its_own("replay", *(each for each in command[1:] if each != "--no-store"))
    assert (replayed.returncode, replayed.stderr, replayed.stdout) == (0, "", first.out)


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
    refusal = refused("explain", "latest", "--at", "2024-02-06")
    assert "were changed: as many bars, other values" in refusal
    assert "`sptrader verify r0001-ma_crossover` compares them again" in refusal


def test_the_document_of_a_kept_run_which_is_large_is_read_once(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sptrader("backtest", STRATEGY, "--data", SAMPLE).code == 0
    (kept,) = (path.read_bytes() for path in runs.rglob("document.json"))
    read, loads = list[object](), json.loads

    def heard(text: str | bytes) -> object:
        read.append(text)
        return loads(text)

    monkeypatch.setattr(json, "loads", heard)
    assert sptrader("verify", "latest").code == 0
    assert read.count(kept) == 1


@pytest.mark.parametrize("longer", [(), ("--resample", "4h")])
def test_candles_that_came_since_do_not_keep_a_run_from_being_made_again(tmp_path: Path, longer: tuple[str, ...]) -> None:
    data, rates = waves(tmp_path, "EURGBP", 100_000, 85_000), waves(tmp_path, "GBPUSD", 100_000, 127_000)
    asked: list[str | Path] = ["backtest", STRATEGY, "--data", data, "--rates", rates, *longer]
    assert sptrader(*asked).code == 0
    explained = sptrader("explain", "latest", "--at", "2024-02-06").out
    for symbol, middle in (("EURGBP", 85_000), ("GBPUSD", 127_000)):
        waves(tmp_path, symbol, 100_000, middle, bars=800)
    assert sptrader("verify", "latest").out == "r0001-ma_crossover: the same to the byte\n"
    assert sptrader("explain", "latest", "--at", "2024-02-06").out == explained
    assert sptrader(*asked).code == 0
    assert sptrader("verify", "r0002-ma_crossover").code == 0, "of all bars"
    waves(tmp_path, "GBPUSD", 100_000, 127_001, bars=800)
    (cause,) = (line for line in sptrader("verify", "r0001-ma_crossover").err.splitlines() if "bars then" in line)
    assert "GBPUSD" in cause, "candles that only grew are no cause"
    waves(tmp_path, "EURGBP", 100_000, 85_001, bars=800)
    assert "bars then" in refused("explain", "r0001-ma_crossover", "--at", "2024-02-06"), "none is made of bars that are not its own"


def test_a_newer_program_that_gives_the_same_numbers_explains_an_older_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sptrader("backtest", STRATEGY, "--data", SAMPLE).code == 0
    monkeypatch.setattr(manifest, "engine_hash", lambda: "another")
    assert sptrader("explain", "latest", "--at", "2024-03-01T14:30Z").code == 0
    said = sptrader("verify", "latest")
    assert said.code == 1
    assert said.err.endswith("r0001-ma_crossover: the result itself is the same\n")


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


def test_doctor_tells_every_place_also_when_one_cannot_be_written_and_makes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    names = "RUNS CANDLES SERVERS DOWNLOADS COMPONENT_CACHE".split()
    for name in names:
        monkeypatch.setenv(f"SPTRADER_{name}", str(tmp_path / name / "below"))
    monkeypatch.setenv("SPTRADER_CANDLES", str(tmp_path / "file" / "below"))
    said = sptrader("doctor")
    assert said.code == 1
    (bad,) = [line for line in said.out.splitlines() if line.startswith("BAD")]
    file = tmp_path / "file"
    assert bad.endswith(f"{file / 'below'} cannot be written: make {file} a folder you may write in or move it with SPTRADER_CANDLES")
    assert [str(tmp_path / name / "below") in said.out for name in names] == [name != "CANDLES" for name in names]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_doctor_looks_for_every_package_the_program_needs_anywhere() -> None:
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert sorted(PACKAGES) == sorted(re.split(r"[\[<>=]", text)[0] for text in needed if ";" not in text)


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
    assert done.returncode == 0


def test_a_terminal_of_few_letters_does_not_end_the_program() -> None:
    assert sptrader("backtest", STRATEGY, "--data", SAMPLE).code == 0
    done = in_a_process_of_its_own("explain", "latest", "--at", "2024-03-01T14:00Z", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u2713 passed" in done.stdout


def test_json_is_utf8_whatever_the_terminal_speaks(tmp_path: Path) -> None:
    data = tmp_path / "EURUSD_1h_größe.parquet"
    data.write_bytes(SAMPLE.read_bytes())
    done = in_a_process_of_its_own("backtest", STRATEGY, "--data", data, "--no-store", "--json", "-", PYTHONIOENCODING="ascii")
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
