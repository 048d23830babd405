"""The guardian's own key, on a real display: pressed anywhere it stops everything, and where it cannot be heard `status` says why."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from sptrader_desktop.guardian import x11
from tests.guardian_rig import Rig, live_session, wait_for
from tests.ui.xvfb import Screen, private_screen, screen  # noqa: F401  # a fixture

KEYS = "ctrl+alt+shift+x"


def told(rig: Rig) -> tuple[str, str]:
    found = (rig.status() or {"hot_key": {"state": "", "why": ""}})["hot_key"]
    return found["state"], found["why"]


def give_screen(monkeypatch: pytest.MonkeyPatch, screen: Screen) -> None:  # noqa: F811
    monkeypatch.setenv("DISPLAY", screen.display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


def test_the_key_stops_everything_whatever_has_the_keyboard(
    screen: Screen,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    give_screen(monkeypatch, screen)
    with live_session(tmp_path / "live") as rig:
        wait_for(lambda: told(rig) == ("on", ""), "the key to be ours")
        screen.press("ctrl+shift+x", "x")
        assert (rig.status() or {})["latch"] is None, "another key is none of ours"
        screen.press("Caps_Lock")
        screen.press(KEYS)
        wait_for(lambda: (rig.status() or {})["latch"], "the stop")
        assert (rig.status() or {})["latch"]["by"] == "the hot key Ctrl+Alt+Shift+X"
        assert not (rig.status() or {})["latch"]["flatten"]
        rig.rearm()
        screen.press(KEYS)
        wait_for(lambda: (rig.status() or {})["latch"], "the stop after the re-arming")
        with live_session(tmp_path / "other") as other:
            wait_for(lambda: "another program" in told(other)[1], "it to be taken")


def test_a_guardian_outlives_the_display_and_says_that_the_key_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as held:
        with private_screen() as passing:
            give_screen(monkeypatch, passing)
            rig = held.enter_context(live_session(tmp_path / "live"))
            wait_for(lambda: told(rig)[0] == "on", "the key")
        wait_for(lambda: told(rig) == ("off", "the display is gone"), "the display to be missed")


@pytest.mark.parametrize(
    ("surroundings", "why"),
    [
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "Wayland lets no program"),
        ({"DISPLAY": ""}, "there is no display"),
        ({"DISPLAY": ":9876"}, "cannot be reached"),
        ({"DISPLAY": "elsewhere:0"}, "on another computer"),
        ({"DISPLAY": ":0", "SPTRADER_STOP_KEY": "off"}, "switched off"),
        ({"DISPLAY": ":0", "SPTRADER_STOP_KEY": "X"}, "X is no key"),
    ],
)
def test_where_no_key_is_heard_the_guardian_works_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, surroundings: dict[str, str], why: str
) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    for name, value in surroundings.items():
        monkeypatch.setenv(name, value)
    with live_session(tmp_path / "live") as rig:
        wait_for(lambda: why in told(rig)[1], "why")
        assert told(rig)[0] == "off"


def test_keys_are_read_as_people_write_them() -> None:
    assert x11.parsed("Ctrl+Alt+Shift+X") == x11.parsed("shift + ctrl+alt+x") == (13, ord("x"))
    assert x11.parsed("Super+F12") == (64, 0xFFC9)
    for wrong in ("", "X", "Ctrl+", "Ctrl+Hyper+X", "Ctrl+F13", "Ctrl+ä", "+X"):
        with pytest.raises(x11.DisplayError, match="is no key: write it like"):
            x11.parsed(wrong)


def test_the_cookie_of_a_display_is_found_among_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def entry(number: bytes, name: bytes, cookie: bytes) -> bytes:
        return (256).to_bytes(2, "big") + b"".join(len(part).to_bytes(2, "big") + part for part in (b"host", number, name, cookie))

    place = tmp_path / "authority"
    place.write_bytes(entry(b"1", x11.COOKIE, b"one") + entry(b"2", b"OTHER", b"no") + entry(b"2", x11.COOKIE, b"two") + b"\x01")
    monkeypatch.setenv("XAUTHORITY", str(place))
    assert [x11._cookie(number) for number in (b"1", b"2", b"3")] == [b"one", b"two", b""]
