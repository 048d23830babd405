"""A key of the whole desktop that stops everything, heard by the guardian itself: also while the window hangs or is gone.

On a thread of its own that goes the way of every stop, through the control socket; nothing of the display can hold the guardian up.
"""

import os
import sys
import threading
from pathlib import Path

from sptrader_desktop.guardian import asking
from sptrader_desktop.guardian.lines import Message
from sptrader_desktop.guardian.places import GuardianError
from sptrader_desktop.guardian.precedence import share_precedence
from sptrader_desktop.guardian.x11 import DisplayError, pressed

VARIABLE, USUAL, OFF = "SPTRADER_STOP_KEY", "Ctrl+Alt+Shift+X", "off"


class HotKey:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.keys = os.environ.get(VARIABLE, "").strip() or USUAL
        self._is_on, self._why = False, _unavailable(self.keys)

    def start(self) -> None:
        if not self._why:
            self._why = "the display was not asked yet"
            threading.Thread(target=self._listen, name="hot key", daemon=True).start()

    def told(self) -> Message:
        return {"keys": self.keys, "state": "on" if self._is_on else "off", "why": self._why}

    def _listen(self) -> None:
        share_precedence()
        try:
            for _ in pressed(os.environ["DISPLAY"], self.keys):
                if self._is_on:
                    self._stop()
                self._is_on, self._why = True, ""
            self._why = "the display is gone"
        except DisplayError as error:
            self._why = str(error)
        self._is_on = False

    def _stop(self) -> None:
        try:
            asking.stop(self._folder, flatten=False, by=f"the hot key {self.keys}")
        except GuardianError as error:
            sys.stderr.write(f"the hot key was pressed: {error}\n")


def _unavailable(keys: str) -> str:
    """Why no key can be heard here, if none can."""
    if keys.lower() == OFF:
        return f"it is switched off by {VARIABLE}"
    if sys.platform in {"win32", "darwin"}:
        return "on this system no key is heard: `sptrader stop` is the way"
    if os.environ.get("WAYLAND_DISPLAY"):
        return "Wayland lets no program hear the keys of others: give `sptrader stop` a key in the settings of the desktop"
    return "" if os.environ.get("DISPLAY") else "it was started where there is no display: `sptrader stop` is the way"
