"""`sptrader components list` and `run` as a person meets them, and that nothing survives a command that was stopped or killed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.runtime.process_trees import end_orphans
from sptrader_desktop.runtime.scratch import is_gone
from tests.command_line import ROOT, SAMPLE, refused, sptrader
from tests.pool_benches import TOKEN

SLOW = """\
import subprocess, sys, time
from sptrader_desktop.sdk import average, main
__metadata_version__ = 2
__metadata__ = {"name": "slow", "family": "trend", "outputs": ["slow"], "warm_up": "1"}


class Slow:
    def calculate(self, data):
        open("began", "w").close()
        subprocess.Popen(["sleep", "60"], start_new_session=True)
        time.sleep(60)


if __name__ == "__main__":
    main(Slow, __metadata__)
"""


LISTED = (
    """\
  indicators.trend.sma
    parameters  period=20 (from 1 to 10000)
    outputs     sma
    warm-up     period (20 bars by default)
""",
    """\
  signals.ma_crossover
    parameters  fast_period=20 (from 1 to 10000), slow_period=50 (from 2 to 10000)
    events      golden_cross, death_cross
    outputs     ma_fast, ma_slow, current_price
    requires    ma_fast (sma), ma_slow (sma)
    warm-up     slow_period + 1 (51 bars by default)
""",
)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "workspace"
    for name in ("indicators/trend/sma.py", "signals/ma_crossover.py"):
        (made / "core" / name).parent.mkdir(parents=True)
        shutil.copyfile(ROOT / "workspace" / "core" / name, made / "core" / name)
    monkeypatch.setenv("SPTRADER_WORKSPACE", str(made))
    return made


def test_the_list_says_all_that_is_declared_and_what_is_broken(workspace: Path) -> None:
    said = sptrader("components", "list")
    assert (said.code, said.err) == (0, "")
    assert [block for block in LISTED if block not in said.out] == []
    assert said.out.startswith("Indicators (")
    (workspace / "core" / "signals" / "broken.py").write_text("__metadata_version__ = 1\n")
    said = sptrader("components", "list")
    assert said.code == 1
    assert "  signals.broken: BROKEN\n    " in said.out
    assert "__metadata_version__ must be 2" in said.out
    assert "indicators.trend.sma" in said.out


def test_an_indicator_is_shown_from_its_end(workspace: Path) -> None:
    said = sptrader("components", "run", "sma", "--data", SAMPLE, "--param", "period=2", "--rows", "2")
    closes = load_candles(SAMPLE).prices.close[-3:] / 100_000
    head, columns, *rows = said.out.splitlines()
    assert (said.code, head) == (0, "indicators.trend.sma on EURUSD 1h, 2,614 bars: sma on 2,613")
    assert columns.split() == ["time", "sma"]
    assert [row.split()[-1] for row in rows] == [f"{(closes[at] + closes[at + 1]) / 2:.6g}" for at in (0, 1)]


def test_a_signal_is_written_whole_to_a_file(workspace: Path, tmp_path: Path) -> None:
    tables = []
    for ending in ("csv", "parquet", "arrow"):
        out = tmp_path / f"events.{ending}"
        said = sptrader("components", "run", "signals.ma_crossover", "--data", SAMPLE, "--rows", "0", "--out", out)
        assert said.out.splitlines() == ["signals.ma_crossover on EURUSD 1h, 2,614 bars: 53 events", f"Written to {out}."]
        assert (said.code, said.err) == (0, "")
        read = {"csv": pyarrow.csv.read_csv, "parquet": pq.read_table, "arrow": lambda path: pyarrow.ipc.open_file(path).read_all()}
        tables.append(read[ending](str(out)))
    assert {table.num_rows for table in tables} == {53}
    assert tables[0]["strength"].to_pylist() == tables[1]["strength"].to_pylist() == tables[2]["strength"].to_pylist()
    assert tables[2].column_names == ["timestamp", "type", "strength", "ma_fast", "ma_slow", "current_price"]


def test_what_a_script_prints_is_seen_every_time_and_its_failure_is_one_line(workspace: Path) -> None:
    path = workspace / "core" / "indicators" / "trend" / "sma.py"
    path.write_text(path.read_text().replace("        return", '        print("looking at", len(data))\n        return'))
    for _ in range(2):
        assert sptrader("components", "run", "sma", "--data", SAMPLE).out.startswith("looking at 2614\nindicators.trend.sma on")
    path.write_text(path.read_text().replace("        return", "        return 1 / 0\n        return"))
    said = sptrader("components", "run", "sma", "--data", SAMPLE)
    assert (said.code, said.out) == (1, "looking at 2614\n")
    line = path.read_text().split("return 1 / 0")[0].count("\n") + 1
    assert said.err == f"sptrader: {path}:{line}: ZeroDivisionError: division by zero; mend the component or its parameters\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["smaa"], "the workspace has no component smaa; did you mean 'sma'?"),
        (["sma", "--param", "period=0"], "sma.py: period = 0: must be at least 1"),
        (["sma", "--param", "length=3"], "sma.py: length = 3: is no parameter, there is period"),
        (["sma", "--param", "period"], "write it as name=value"),
        (["sma", "--rows=-1"], "--rows -1: give 0 or more"),
        (["sma", "--out", "x.txt"], "--out x.txt: name a file that ends in .csv, .parquet, .arrow"),
        (["sma", "--out", "no/such/x.csv"], "there is no folder"),
    ],
)
def test_what_is_wrong_is_one_line(workspace: Path, arguments: list[str], words: str) -> None:
    assert words in refused("components", "run", *arguments, "--data", SAMPLE)


def test_an_answer_is_never_written_over_the_candles_it_is_of(workspace: Path, tmp_path: Path) -> None:
    candles = tmp_path / SAMPLE.name
    shutil.copyfile(SAMPLE, candles)
    said = refused("components", "run", "sma", "--data", candles, "--out", tmp_path / "." / SAMPLE.name)
    assert said.endswith("these are the candles of --data, which would be lost: name another file")
    assert candles.read_bytes() == SAMPLE.read_bytes()


# What is left of a command


@pytest.fixture
def stuck(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["subprocess.Popen[str]"]:
    """A command whose component has started a process of its own and will not return."""
    folder = workspace / "core" / "indicators" / "trend"
    (folder / "slow.py").write_text(SLOW)
    monkeypatch.setenv(TOKEN, str(folder))
    command = [sys.executable, "-m", "sptrader_desktop", "components", "run", "slow", "--data", str(SAMPLE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        while not (folder / "began").exists() and process.poll() is None:
            time.sleep(0.02)
        yield process
        process.kill()


def left(token: str) -> list[int]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(TOKEN) == token and process.status() != psutil.STATUS_ZOMBIE and process.pid != os.getpid():
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


def all_gone(token: str) -> None:
    """Whoever was killed takes a moment to be gone."""
    deadline = time.monotonic() + 60
    while found := left(token):
        assert time.monotonic() < deadline, f"these live on: {found}"
        time.sleep(0.01)


def test_ctrl_c_ends_the_command_and_all_it_started(stuck: "subprocess.Popen[str]") -> None:
    os.killpg(stuck.pid, signal.SIGINT)
    out, err = stuck.communicate()
    assert (stuck.returncode, out, err) == (1, "", "sptrader: stopped; nothing was stored\n")
    all_gone(os.environ[TOKEN])


def test_ctrl_c_while_the_program_is_loaded_is_one_line_too() -> None:
    code = """
import sys
class Impatient:
    def find_spec(self, name, *_):
        if name == "sptrader_desktop.cli.options":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Impatient())
from sptrader_desktop.__main__ import main
main()
"""
    said = subprocess.run([sys.executable, "-c", code, "runs"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout, said.stderr) == (1, "", "sptrader: stopped; nothing was stored\n")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a worker notices when it next reads its work")
def test_workers_die_with_a_command_that_is_killed_and_the_next_one_ends_what_they_started(stuck: "subprocess.Popen[str]") -> None:
    stuck.kill()
    stuck.communicate()
    while any(is_worker(pid) for pid in left(os.environ[TOKEN])):
        time.sleep(0.01)
    end_orphans(is_gone)
    all_gone(os.environ[TOKEN])


def is_worker(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        return any("sptrader_desktop.worker" in part for part in process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
