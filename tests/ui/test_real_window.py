"""The host's window on a real screen, moved by a hand that is not Qt's own."""

from tests.ui.xvfb import Screen, screen

__all__ = ["screen"]  # the fixture


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
