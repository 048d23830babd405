"""The size that was chosen, from the first pixel of the next start: charts, distances and pictures included."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sptrader_desktop.app.window import wanted_scale
from sptrader_desktop.settings import load_settings

# The window itself, asked what it is drawn at and ended; the engine and its workers are no part of the question.
PROGRAM = """
import sys
from sptrader_desktop.app import window
from sptrader_desktop.ui.theme.look import look

async def measure(host, opened, folder):
    print(opened.devicePixelRatioF(), look().scale, look().is_dark)
    host.close()

window.compose_components.window_workers = lambda *_: None
window.WindowDesk.warm_up = lambda *_: None
window.take_first_look = measure
sys.exit(window.open_workstation())
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPTRADER_PREFERENCES", str(tmp_path / "preferences.json"))
    return load_settings().preferences


def test_a_window_starts_at_the_size_that_was_chosen(file: Path) -> None:
    file.write_text(json.dumps({"schema": 1, "scale": 150, "theme": "dark"}), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name not in {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout.split()) == (0, ["1.5", "1.0", "True"]), done.stderr


def test_a_file_that_is_missing_or_makes_no_sense_leaves_the_size_alone(file: Path) -> None:
    settings = load_settings()
    assert wanted_scale(settings) == 100
    for content in ("", "{", "[]", json.dumps({"schema": 1, "scale": "huge"}), json.dumps({"schema": 1, "scale": 0})):
        file.write_text(content, encoding="utf-8")
        assert wanted_scale(settings) == 100, content
    file.write_text(json.dumps({"schema": 1, "scale": 200}), encoding="utf-8")
    assert wanted_scale(settings) == 200
