"""Puts a look on the whole application and changes it while it runs: light or dark, which colours, how large."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QApplication, QComboBox
from shiboken6 import isValid

from sptrader_desktop.ui.theme.fonts import load_fonts
from sptrader_desktop.ui.theme.look import Look, look, put_in_force
from sptrader_desktop.ui.theme.memory_files import keep_files
from sptrader_desktop.ui.theme.palette import palette
from sptrader_desktop.ui.theme.stylesheet import marks, stylesheet
from sptrader_desktop.ui.theme.tokens import colours

Mode = Literal["system", "light", "dark"]
Colouring = Literal["standard", "colour_blind"]
UpColour = Literal["green", "red"]
SCALE_VARIABLE = "QT_SCALE_FACTOR"


@contextmanager
def scaled_start(percent: int) -> Iterator[int]:
    """Make the QApplication inside: everything is then drawn at `percent`. Yields the percent that was granted, for `Theme`.

    A factor in the person's own environment is theirs and stays; programs started later inherit none of ours.
    """
    if SCALE_VARIABLE in os.environ or percent == 100:
        yield 100
        return
    os.environ[SCALE_VARIABLE] = str(percent / 100)
    try:
        yield percent
    finally:
        del os.environ[SCALE_VARIABLE]


class Theme(QObject):
    """One for each application. A scale other than the one it was started at grows text and controls; the next start grows the rest.

    With `waits` an application without a style sheet gets it by `put_sheet_on`, when its window is made: Qt looks through it for all that
    is put into a widget, and again for all that is in it when that one is put into the next.
    """

    changed = Signal()

    def __init__(self, application: QApplication, started_scale: int = 100, *, waits: bool = False) -> None:
        super().__init__(application)
        self._application = application
        self._started_scale = started_scale
        self._mode: Mode = "system"
        self._is_worn, self._has_sheet, self._sheet = False, not waits or bool(application.styleSheet()), ""
        self._wanted: tuple[Colouring, UpColour, int] = ("standard", "green", started_scale)
        load_fonts()
        application.setStyle("Fusion")
        application.styleHints().colorSchemeChanged.connect(self._follow_system)
        self._put_on()

    def wear(self, mode: Mode, colouring: Colouring = "standard", up_colour: UpColour = "green", scale: int = 100) -> None:
        self._mode, self._wanted = mode, (colouring, up_colour, scale)
        hints = self._application.styleHints()
        if mode == "system":
            hints.unsetColorScheme()
        else:
            hints.setColorScheme(Qt.ColorScheme.Dark if mode == "dark" else Qt.ColorScheme.Light)
        self._put_on()

    def _follow_system(self) -> None:
        if self._mode == "system":
            self._put_on()

    def _is_dark(self) -> bool:
        if self._mode != "system":
            return self._mode == "dark"
        return self._application.styleHints().colorScheme() is Qt.ColorScheme.Dark

    def _put_on(self) -> None:
        colouring, up_colour, scale = self._wanted
        is_dark = self._is_dark()
        chosen = colours(dark=is_dark, colour_blind=colouring == "colour_blind", red_up=up_colour == "red")
        new = Look(chosen, is_dark, scale / self._started_scale)
        if self._is_worn and new == look():
            return
        _close_list()
        put_in_force(new)
        self._dress(new)
        self._tell_widgets()
        self.changed.emit()

    def _dress(self, new: Look) -> None:
        """Without the sheet of before first: where one follows another Qt takes three times as long."""
        folder = keep_files(marks(new))
        self._is_worn = True
        if self._has_sheet:
            self._application.setStyleSheet("")
            self._make_unknown()
        self._application.setFont(new.font())
        self._application.setPalette(palette(new.colours))
        self._sheet = stylesheet(new, folder)
        if self._has_sheet:
            self._application.setStyleSheet(self._sheet)

    def _make_unknown(self) -> None:
        """WORKAROUND: without any sheet Qt forgets which widgets tell it of their death, yet takes those that were measured and never shown
        for known; with a sheet after the next it would dress them although they are gone, and the program would end.
        """
        for widget in self._application.allWidgets():
            if isValid(widget) and not widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):
                widget.setAttribute(Qt.WidgetAttribute.WA_StyleSheet, False)

    def put_sheet_on(self) -> None:
        if not self._has_sheet:
            self._has_sheet = True
            self._application.setStyleSheet(self._sheet)

    def _tell_widgets(self) -> None:
        """Qt tells them when its palette changes; ours may change in a colour that Qt does not know."""
        for widget in self._application.allWidgets():
            if isValid(widget):
                self._application.sendEvent(widget, QEvent(QEvent.Type.PaletteChange))


def _close_list() -> None:
    """Of a box that grows or moves by another look: Qt leaves it where it was opened."""
    popup = QApplication.activePopupWidget()
    box = popup.parentWidget() if popup is not None else None
    if isinstance(box, QComboBox):
        box.hidePopup()
