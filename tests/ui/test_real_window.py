"""The host's window on a real screen, moved by a hand that is not Qt's own."""

from pathlib import Path

import pytest

from tests.ui.xvfb import Screen, screen

__all__ = ["screen"]  # the fixture
REFUSED = "Something went wrong|no other"  # what Qt adds to it has a dash that xdotool cannot read


def test_clicks_and_keys_of_a_real_screen_reach_the_window(screen: Screen) -> None:
    with screen.start("-m", "tests.ui.window_program", "wait") as program:
        assert program.stdout
        assert program.stdout.readline() == "up\n"
        window = screen.window("sptrader small window")
        screen.click(window, 30, 20)
        screen.press("Tab")
        screen.type("EURUSD 1h")
        screen.press("Return")
        out, _ = program.communicate(timeout=60)
    lines = out.splitlines()
    assert lines[0].startswith("told Something in the window failed: The program made a mistake (ValueError")
    assert lines[-2:] == ["typed EURUSD 1h", "stopped in order"]
    assert program.returncode == 0


def test_a_start_that_is_refused_is_shown_until_it_is_read_and_ends_as_without_a_screen(
    screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "workspace").write_text("a file where a folder is to be")
    for name in ("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("SPTRADER_WORKSPACE", str(tmp_path / "workspace"))
    with screen.start("-m", "sptrader_desktop") as first:
        screen.window(REFUSED)
        with screen.start("-m", "sptrader_desktop") as second:  # another refusal, and not the raised window of the first
            assert second.stderr
            assert "the workspace cannot be written" in second.stderr.readline()
            second.terminate()
            assert second.wait(60) == 1
        screen.window(REFUSED)
        screen.press("Return")
        out, err = first.communicate(timeout=60)
    assert (first.returncode, out) == (1, "")
    assert err.splitlines() == [err.rstrip()], "one line, as where there is no screen"
    assert "the workspace cannot be written" in err
