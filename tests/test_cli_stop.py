"""`sptrader stop`, `rearm` and `status` as a person meets them, with and without a guardian, and with one that does not answer."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sptrader_desktop.cli import run
from sptrader_desktop.guardian.latch import Account, new_latch, read_latch, write_account, write_latch
from tests.documents import GUIDE, keys_told, section
from tests.guardian_rig import ROOT, Rig, freeze, live_session, thaw, wait_for

CHAPTER = section(GUIDE, "Emergency stop")
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPTRADER_LIVE", str(tmp_path / "live"))
    return tmp_path / "live"


@pytest.fixture
def rig(folder: Path) -> Iterator[Rig]:
    with live_session(folder) as running:
        yield running


def test_they_load_next_to_nothing(folder: Path) -> None:
    script = "import sys; from sptrader_desktop.cli import run; run(sys.argv[1:]); print('\\n'.join(sys.modules), file=sys.stderr)"
    for command in (("stop", "--flatten"), ("status",), ("rearm", "--yes")):
        done = subprocess.run([sys.executable, "-c", script, *command], cwd=ROOT, capture_output=True, text=True, check=True)
        foreign = {name.partition(".")[0] for name in done.stderr.split()} - sys.stdlib_module_names
        assert foreign - {"__main__", "_virtualenv", "_distutils_hack"} == {"platformdirs", "sptrader_desktop"}
        ours = {name.split(".")[1] for name in done.stderr.split() if name.startswith("sptrader_desktop.")}
        assert ours == {"cli", "core", "guardian", "settings"}
        assert "asyncio" not in done.stderr.split()


def test_without_a_guardian_a_stop_is_kept_and_says_that_nothing_is_live(folder: Path, capsys: Captured) -> None:
    assert run(["stop"]) == 0
    assert "so nothing is live there. Nothing will start before `sptrader rearm`" in capsys.readouterr().out
    first = read_latch(folder / "stopped.json")
    assert first
    assert run(["stop"]) == 0
    assert read_latch(folder / "stopped.json") == first
    write_account(folder / "guardian-account.json", Account("paper", 3))
    assert run(["stop", "--flatten"]) == 1
    assert "nothing was cancelled or closed at the broker of account paper" in capsys.readouterr().err
    (folder / "guardian-account.json").unlink()
    assert run(["stop", "--flatten"]) == 0
    again = read_latch(folder / "stopped.json")
    assert again
    assert again.flatten
    capsys.readouterr()
    assert run(["status"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["guardian"] is None
    assert told["latch"]["by"] == again.by
    with live_session(folder) as rig:
        found = rig.status()
        assert found
        assert found["gate"]["why"] == ["stopped", "hello of the core"]
        assert found["latch"]["flatten"]


def test_rearming_is_asked_for_and_says_what_it_rearms(folder: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(["rearm"]) == 0
    assert capsys.readouterr().out == f"Nothing is stopped in {folder}.\n"
    write_latch(folder / "stopped.json", new_latch("somebody", flatten=True))
    monkeypatch.setattr("sys.stdin", None)
    assert run(["rearm"]) == 1
    said = capsys.readouterr()
    assert "by somebody, with all positions to be closed." in said.out
    assert said.err == "sptrader: re-arming is a person's decision and nobody can be asked here: say --yes\n"
    assert read_latch(folder / "stopped.json")
    assert run(["rearm", "--yes"]) == 0
    assert read_latch(folder / "stopped.json") is None


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("\n", 1), ("no\n", 1)])
def test_only_a_yes_rearms(folder: Path, answer: str, code: int) -> None:
    folder.mkdir()
    write_latch(folder / "stopped.json", new_latch("somebody", flatten=False))
    script = "import sys; sys.stdin.isatty = lambda: True; from sptrader_desktop.cli import run; sys.exit(run(['rearm']))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, input=answer, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert bool(read_latch(folder / "stopped.json")) is bool(code)


def test_a_stop_prints_its_steps_and_a_rearm_ends_it(rig: Rig, capsys: Captured) -> None:
    core = rig.start_core(3)
    wait_for(lambda: len(rig.broker.orders) == 3 and (rig.status() or {})["broker"]["connected"], "the orders")
    assert run(["stop", "--flatten"]) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()] == [*keys_told(CHAPTER, "step of a stop"), "now"]
    assert out.startswith("gate     shut: no order leaves\n")
    rig.until_verified()
    assert run(["status"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["stop"]["cancel"] == {"state": "done", "confirmed": 3, "unconfirmed": 0}
    assert told["guardian"]["state"] == "running"
    assert told.keys() == set(keys_told(CHAPTER, "in `status`"))
    assert told["heartbeats"].keys() == {"core"}
    assert run(["rearm", "--yes"]) == 0
    said = capsys.readouterr().out
    assert "At the broker: clear at the broker" in said
    assert "Re-armed: orders pass from the core's next hello on." in said
    assert read_latch(rig.places.latch) is None
    rig.end_core(core)


def test_a_guardian_that_does_not_answer_is_told_and_finds_the_stop_when_it_does(rig: Rig, capsys: Captured) -> None:
    assert rig.guardian
    freeze(rig.guardian)
    assert run(["stop"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert f"the guardian (process {rig.guardian.pid}) does not answer" in said.err
    assert "the stop is on disk" in said.err
    assert read_latch(rig.places.latch)
    assert run(["status"]) == 0
    assert json.loads(capsys.readouterr().out)["guardian"]["state"] == "silent"
    thaw(rig.guardian)
    wait_for(lambda: "stopped" in (rig.status() or {"gate": {"why": []}})["gate"]["why"], "the guardian to find it")


def test_a_latch_that_cannot_be_written_is_a_failure(rig: Rig, capsys: Captured) -> None:
    rig.places.latch.mkdir()
    assert run(["stop"]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("gate     shut")
    assert "stopped, but not on disk" in said.err
    assert run(["rearm", "--yes"]) == 1
    assert "still stopped" in capsys.readouterr().err


def test_a_folder_that_cannot_be_used_is_named(folder: Path, capsys: Captured) -> None:
    folder.write_text("a file")
    for command in ("stop", "rearm", "status"):
        assert run([command]) == 1
        assert f"sptrader: {folder}: live trading cannot be kept there" in capsys.readouterr().err
