"""The real window as a program of its own, killed, closed at the wrong moment, with damaged files and with secrets in its hands."""

import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psutil
import pytest

from benchmarks.screens import screens
from sptrader_desktop.adapters.catalogue_candles import CandleCatalogue
from sptrader_desktop.ports import CandleRequest
from sptrader_desktop.runtime.file_lock import lock_workspace
from tests.ui.hostile_program import THOUGHT, play
from tests.vendor_files import SPRING, market, metatrader_5, written
from tests.window_files import PROCESSES

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_S = 180.0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def surroundings(home: Path, **more: str) -> dict[str, str]:
    """A person's own; what was compiled and computed stays at hand."""
    (home / "runtime").mkdir(mode=0o700, exist_ok=True)
    own = {f"SPTRADER_{name}": str(home / name.lower()) for name in ("RUNS", "WORKSPACE", "TEXTS", "CANDLES", "LOGS", "SERVERS")}
    return os.environ | own | {"SPTRADER_PREFERENCES": str(home / "preferences.json"), "XDG_RUNTIME_DIR": str(home / "runtime")} | more


def begin(home: Path, *arguments: str, **more: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.ui.hostile_program", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=surroundings(home, **more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(home: Path, *arguments: str, **more: str) -> list[dict[str, Any]]:
    """What it said, once it has ended as it should."""
    with begin(home, *arguments, **more) as program:
        try:
            out, err = program.communicate(timeout=PATIENCE_S)
        finally:
            program.kill()
    return checked(out, err, program.returncode)


def played(home: Path, *arguments: str, **more: str) -> list[dict[str, Any]]:
    """The same, without each of them loading all that a window needs; how the interpreter ends is not seen so."""
    with tempfile.TemporaryDirectory() as folder:
        program = PROCESSES.Process(target=play, args=(arguments, surroundings(home, **more), Path(folder)))
        program.start()
        try:
            program.join(PATIENCE_S)
        finally:
            program.kill()
            program.join()
        out, err = ((Path(folder) / name).read_text(encoding="utf-8") for name in ("out", "err"))
    return checked(out, err, program.exitcode)


def checked(out: str, err: str, code: int | None) -> list[dict[str, Any]]:
    said = [json.loads(line) for line in out.splitlines()]
    assert not [line for line in said if "failed" in line], (said, err[-2000:])
    assert (code, "Traceback" in err) == (0, False), err[-2000:]
    return said


# Killed


def test_a_window_that_is_killed_at_work_leaves_no_process_no_lock_and_no_text_behind(home: Path) -> None:
    with begin(home, "write and run") as program:
        assert program.stdout
        line = program.stdout.readline()
        program.kill()
        _, err = program.communicate()
    assert line, err[-2000:]
    at_work = json.loads(line)
    assert "backtest" in at_work["running"]
    children: Sequence[int] = at_work["children"]
    assert children
    deadline = time.monotonic() + PATIENCE_S  # whoever compiles the rules ends when they are compiled: the next start finds them
    while left := [pid for pid in children if is_alive(pid)]:
        assert time.monotonic() < deadline, f"these live on: {[psutil.Process(pid).cmdline() for pid in left]}"
        time.sleep(0.05)
    lock = lock_workspace(home / "workspace")
    lock.give()
    assert not list((home / "runs").glob("r0*")), "no half of a run"
    offered, made = played(home, "begin again")
    assert any("Not saved when the program ended: ma_crossover.yaml" in notice for notice in offered["notices"])
    assert offered["text"].startswith(THOUGHT)
    assert offered["is_modified"]
    assert made["kept"] == ["ma_crossover"]


def is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


# Closed while something is at work


@pytest.mark.parametrize("what", ["read", "kept"])
def test_a_window_that_is_closed_during_an_import_ends_and_what_is_kept_is_whole(home: Path, what: str) -> None:
    weeks = 150 if what == "read" else 40
    path = written(home, metatrader_5(market(SPRING, weeks=weeks), ZoneInfo("Europe/Athens")), "USDCAD.csv")
    (ended if what == "read" else played)(home, "close while importing", str(path), what)
    catalogue = CandleCatalogue(home / "candles")
    held = catalogue.datasets()
    for item in held:
        assert len(catalogue.candles(CandleRequest(item.symbol, item.timeframe))) == item.rows
    assert not list((home / "candles").rglob("*.tmp"))
    assert what == "kept" or not held


# Damaged files


def test_the_window_comes_up_whatever_is_in_its_preferences(home: Path) -> None:
    (sound,) = played(home, "look")
    path = home / "preferences.json"
    kept = json.loads(path.read_bytes())
    assert sound["is_seen"]
    assert kept["layouts"]
    for name, damage in damages(kept).items():
        path.write_text(json.dumps(damage))
        (seen,) = played(home, "look")
        assert seen["is_seen"], name
        assert {"backtest", "navigator", "results"} <= set(seen["docks"]), name
        assert seen["notices"], name


def damages(kept: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Of what the window itself wrote."""
    answers = {"start": "2024-99-99", "spread": "1e999999", "capital": "-5", "nonsense": "x" * 10_000}
    name, state = next(iter(kept["layouts"].items()))
    half, others = state[: len(state) // 2], f"{state[:40]}{'B' if state[40] == 'A' else 'A'}{state[41:]}"
    return {
        "half a layout": kept | {"geometry": kept["geometry"][5:], "layouts": {**kept["layouts"], name: half}},
        "a layout of other bytes": kept | {"layouts": {**kept["layouts"], name: others}},
        "fields of other kinds": kept | {"layouts": [1], "geometry": 5, "zone": "Mars", "scale": 1_000, "answers": answers},
    }


def test_what_stood_on_a_screen_that_is_gone_comes_back_on_the_one_there_is(home: Path) -> None:
    file = home / "screens.json"
    both = screens(file, "one", "other", size=(1920, 1080))
    played(home, "stand on the other screen", QT_QPA_PLATFORM=both)
    (again,) = played(home, "look where", QT_QPA_PLATFORM=both)
    assert (again["window"], again["floating"]) == ("other", {"explain": "other", "log": "one"})
    (alone,) = played(home, "look where", QT_QPA_PLATFORM=screens(file, "one", size=(1920, 1080)))
    assert alone["window"] == "one"
    assert set(alone["floating"].values()) <= {"one"}
    assert {"explain", "log"} <= set(alone["shown"])


def test_the_first_window_is_no_larger_than_a_small_screen(home: Path) -> None:
    (seen,) = played(home, "look where", QT_QPA_PLATFORM=screens(home / "screens.json", "small", size=(1366, 768)))
    assert seen["size"] == [1366, 768]


def test_preferences_of_a_newer_version_are_left_as_they_are_and_said(home: Path) -> None:
    path, content = home / "preferences.json", b'{"schema": 999, "theme": {"of": "a kind nobody knows yet"}}\n'
    path.write_bytes(content)
    (seen,) = played(home, "look")
    assert any("newer version (schema 999" in notice for notice in seen["notices"])
    assert path.read_bytes() == content
    assert seen["is_seen"]


# Secrets


def test_no_password_is_in_a_message_the_log_the_diagnostics_or_any_file(home: Path) -> None:
    diagnostics = home / "diagnostics.zip"
    said = played(home, "keep secrets", str(diagnostics), DATABASE_URL="postgresql://me:givensecret@127.0.0.1:1/none")
    secrets = (b"typedsecret", b"givensecret")
    texts = [json.dumps(said).encode()]
    with zipfile.ZipFile(diagnostics) as packed:
        texts += [packed.read(name) for name in packed.namelist()]
    texts += [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    assert any(b"127.0.0.1" in text for text in texts), "what it is about is told"
    assert (home / "logs" / "sptrader.log").stat().st_size > 0
    assert not [secret for secret in secrets for text in texts if secret in text]
