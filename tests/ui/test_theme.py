"""The theme on a running application: it changes at once, tells every widget, and its icons and images follow."""

import os
import re
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QFile, QSize
from PySide6.QtGui import QColor, QIcon, QImage, QPalette, QPixmap
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from sptrader_desktop.present.actions import ACTIONS
from sptrader_desktop.present.appearance import SCALES
from sptrader_desktop.ui.theme import tokens
from sptrader_desktop.ui.theme.icons import icon
from sptrader_desktop.ui.theme.look import Look, look
from sptrader_desktop.ui.theme.memory_files import keep_files
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.stylesheet import MARKS, stylesheet
from sptrader_desktop.ui.theme.theme import Theme, scaled_start

ROOT = Path(__file__).resolve().parent.parent.parent
UI = ROOT / "sptrader_desktop" / "ui"


class Watching(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.PaletteChange:
            self.seen.append(look().colours.up)
        super().changeEvent(event)


def test_each_change_reaches_every_widget_even_one_of_a_colour_that_qt_does_not_know(theme: Theme, qtbot: QtBot) -> None:
    theme.wear("dark")
    widget = Watching()
    qtbot.addWidget(widget)
    theme.wear("dark", up_colour="red")
    assert widget.seen[-1] == tokens.DARK.down
    theme.wear("light", "colour_blind")
    assert widget.seen[-1] == tokens.colours(dark=False, colour_blind=True).up
    qtbot.waitUntil(lambda: widget.palette().color(QPalette.ColorRole.Base) == QColor(tokens.LIGHT.field))
    with qtbot.assertNotEmitted(theme.changed):
        theme.wear("light", "colour_blind")


@pytest.mark.parametrize("change", [{"mode": "dark"}, {"mode": "light", "scale": 150}])
def test_a_list_that_is_open_closes_when_the_look_changes(theme: Theme, qtbot: QtBot, change: dict[str, Any]) -> None:
    """It would stand as far from its box as that has moved or grown."""
    theme.wear("light")
    box = QComboBox()
    qtbot.addWidget(box)
    box.addItems(["one", "two"])
    box.show()
    box.showPopup()
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    theme.wear("light")  # which it is
    assert box.view().isVisible()
    theme.wear(**change)
    assert not box.view().isVisible()
    assert box.currentText() == "one"
    box.showPopup()
    assert box.view().isVisible()
    box.hidePopup()


def test_without_a_wish_the_theme_is_the_systems(theme: Theme) -> None:
    assert not look().is_dark  # what Qt's own palette is where there is no screen
    theme.wear("dark")
    assert look().is_dark
    theme.wear("system")
    assert not look().is_dark


@pytest.mark.parametrize("dark", [True, False])
def test_the_style_sheet_leaves_no_word_unfilled_and_holds_no_colour_of_its_own(dark: bool) -> None:
    sheet = (UI / "assets" / "style.qss").read_text(encoding="utf-8")
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|\b(?!0)\d+px|\brgba?\(", sheet) == []
    worn = Look(tokens.colours(dark=dark), dark)
    filled = stylesheet(worn, "there")
    assert "$" not in filled
    asked = set(re.findall(r"url\(:/there/([\w-]+\.svg)\)", filled))
    assert asked == set(MARKS)


def test_what_has_the_focus_is_ringed_in_accent_and_nothing_moves(theme: Theme, qtbot: QtBot) -> None:
    theme.wear("dark")
    field = QLineEdit("text")
    qtbot.addWidget(field)
    field.resize(200, 40)
    field.show()
    accent = QColor(tokens.DARK.accent)
    field.clearFocus()
    before, hint = field.grab().toImage(), field.sizeHint()
    field.setFocus()
    field.activateWindow()
    qtbot.waitUntil(field.hasFocus)
    after = field.grab().toImage()
    for depth in range(tokens.RING):
        assert QColor(after.pixel(100, depth)) == accent
        assert QColor(before.pixel(100, depth)) != accent
    assert QColor(after.pixel(100, tokens.RING)) != accent
    assert field.sizeHint() == hint


# Scale


@pytest.mark.parametrize("percent", SCALES)
def test_a_scale_grows_text_at_once(theme: Theme, qapp: QApplication, percent: int) -> None:
    theme.wear("dark", scale=percent)
    assert qapp.font().pixelSize() == round(tokens.BODY * percent / 100)
    field = QLineEdit("1,234.56")
    field.ensurePolished()
    assert field.sizeHint().height() >= field.fontMetrics().height() + 2 * look().pixels(tokens.GRID)


def test_a_start_at_a_scale_draws_everything_at_it_and_leaves_nothing_behind() -> None:
    program = """
import os
from PySide6.QtWidgets import QApplication, QWidget
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.theme import Theme, scaled_start
with scaled_start(150) as granted:
    application = QApplication([])
theme = Theme(application, granted)
theme.wear("dark", scale=150)
print(QWidget().devicePixelRatioF(), look().scale, os.environ.get("QT_SCALE_FACTOR"))
theme.wear("dark", scale=200)
print(round(look().scale, 3))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert done.stdout.split() == ["1.5", "1.0", "None", "1.333"]


def test_a_window_made_before_the_style_sheet_is_put_on_looks_as_one_made_after_it() -> None:
    code = """
import sys
from PySide6.QtWidgets import QApplication, QComboBox, QGroupBox, QLineEdit, QPushButton, QTabWidget, QVBoxLayout, QWidget
from sptrader_desktop.ui.theme.theme import Theme

app = QApplication(sys.argv)

def picture():
    shown = made()
    shown.resize(300, 300)
    shown.show()
    return shown, shown.grab().toImage()

def made():
    outer, tabs, page = QWidget(), QTabWidget(), QWidget()
    column = QVBoxLayout(page)
    for part in (QLineEdit("text"), QPushButton("press"), QComboBox()):
        column.addWidget(part)
    tabs.addTab(page, "page")
    QVBoxLayout(outer).addWidget(tabs)
    return outer

theme = Theme(app, waits=True)
first = made()
theme.wear("dark")
print(repr(app.styleSheet()))
theme.put_sheet_on()
first.resize(300, 300)
first.show()
before = first.grab().toImage()
second, after = picture()
print(before == after)
sheet = app.styleSheet()
Theme(app, waits=True).wear("light")
print(app.styleSheet() not in ("", sheet))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["''", "True", "True"]


def test_what_was_measured_and_never_shown_may_go_after_another_look() -> None:
    """Qt dressed what was gone, and the program ended."""
    code = """
import sys
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget
from sptrader_desktop.ui.theme.theme import Theme

def measure(outer):
    for part in outer.findChildren(QWidget):
        part.sizeHint()

app = QApplication(sys.argv)
theme = Theme(app)
theme.wear("dark")
made = [QWidget() for _ in range(200)]
for outer in made:
    column = QVBoxLayout(outer)
    for part in (QLabel("name"), QLineEdit("text"), QPushButton("press"), QComboBox()):
        column.addWidget(part)
    measure(outer)
theme.wear("light")
for outer in made:
    measure(outer)
    outer.deleteLater()
app.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
app.setStyleSheet("/* another */")
print("goes on")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["goes on"], done.returncode


def test_a_look_that_follows_others_is_the_look_that_one_starts_with(theme: Theme, qtbot: QtBot) -> None:
    """The sheet of before is taken off, and nothing of it stays behind: no size of words, no colour, no room around them."""
    outer, name, price, choice, keep = QWidget(), QLabel("EURUSD"), QLineEdit("1.09231"), QComboBox(), QPushButton("Keep")
    give(name, role="title")
    give(keep, role="primary")
    choice.addItems(["1h", "4h"])
    qtbot.addWidget(outer)
    column = QVBoxLayout(outer)
    for part in (name, price, choice, keep):
        column.addWidget(part)
    outer.show()

    def picture() -> QImage:
        outer.resize(240, 320)  # room for the larger words
        QApplication.processEvents()
        return outer.grab().toImage()

    theme.wear("dark")
    dark = picture()
    theme.wear("light", scale=150)
    light = picture()
    theme.wear("dark")
    assert picture() == dark
    theme.wear("light", scale=150)
    assert picture() == light
    assert dark != light


def test_a_factor_in_a_persons_own_environment_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_SCALE_FACTOR", "1.25")
    with scaled_start(200) as granted:
        assert (granted, os.environ["QT_SCALE_FACTOR"]) == (100, "1.25")
    assert os.environ["QT_SCALE_FACTOR"] == "1.25"


# Icons and images


def drawn(pixmap: QPixmap) -> set[str]:
    """The opaque colours of a picture."""
    image = pixmap.toImage().convertToFormat(QImage.Format.Format_ARGB32)
    pixels = (image.pixelColor(x, y) for x, y in product(range(image.width()), range(image.height())))
    return {colour.name() for colour in pixels if colour.alpha() == 255}


def test_an_icon_once_made_follows_every_change_of_theme(theme: Theme) -> None:
    play = icon("play")
    for mode, colours in (("dark", tokens.DARK), ("light", tokens.LIGHT), ("dark", tokens.DARK)):
        theme.wear("dark" if mode == "dark" else "light")
        assert drawn(play.pixmap(QSize(32, 32))) == {colours.text}
        assert drawn(play.pixmap(QSize(32, 32), QIcon.Mode.Disabled)) == {colours.edge}
    assert drawn(icon("play", "up").pixmap(QSize(32, 32))) == {tokens.DARK.up}


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_an_icon_has_every_pixel_of_a_dense_screen(theme: Theme, ratio: float) -> None:
    pixmap = icon("play").pixmap(QSize(16, 16), ratio)
    assert (pixmap.width(), pixmap.height()) == (16 * ratio, 16 * ratio)


def test_icons_survive_being_copied_changed_and_collected() -> None:
    """In a process of its own: a mistake here ends it."""
    program = """
import gc
from PySide6.QtCore import QSize
from PySide6.QtGui import QAction, QIcon, QPixmap
from PySide6.QtWidgets import QApplication, QPushButton
from sptrader_desktop.ui.theme.icons import LookIcon, icon
application = QApplication([])
for _ in range(50):
    changed = QIcon(icon("play"))
    changed.setIsMask(True)
    changed.addPixmap(QPixmap(4, 4))
    action, own = QAction(changed, ""), QIcon(LookIcon("x", "text"))
    del changed
    gc.collect()
    QPushButton(own, "").grab()
    action.icon().pixmap(QSize(16, 16))
    del action, own
    gc.collect()
print(icon("play").pixmap(QSize(16, 16)).width())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=dict(os.environ))
    assert (done.returncode, done.stdout.strip()) == (0, "16")


def test_every_drawing_draws_something(theme: Theme) -> None:
    for path in (UI / "assets" / "icons").glob("*.svg"):
        assert look().colours.text in drawn(icon(path.stem).pixmap(QSize(96, 96))), path.name


def test_every_icon_that_is_named_is_there_and_every_one_that_is_there_is_named() -> None:
    texts = [path.read_text(encoding="utf-8") for path in UI.rglob("*.py")]
    of_actions = {action.icon for action in ACTIONS if action.icon}
    named = of_actions | {name for text in texts for name in re.findall(r"\bicon\(\s*\"([\w-]+)\"", text)}
    have = {path.stem for path in (UI / "assets" / "icons").glob("*.svg")}
    assert named - have == set()
    drawing = [text for text in texts if re.search(r"import .*\b(icon|coloured|Entry|EmptyState|EmptyWords)\b", text)]
    assert have - of_actions - {word for text in drawing for word in re.findall(r"\"([\w-]+)\"", text)} == set()


def test_an_icon_that_is_not_there_is_named() -> None:
    with pytest.raises(LookupError, match="no icon is named 'no-such-icon'"):
        icon("no-such-icon")


def test_files_in_memory_are_read_by_name_and_stay_however_many_come_after_them() -> None:
    contents = {f"file-{number}.txt": bytes([number]) * number for number in range(1, 60)}
    folder = keep_files(contents)
    others = {keep_files({"file-1.txt": bytes(5000)}) for _ in range(200)}
    assert len({folder, *others}) == 201
    for name, content in contents.items():
        file = QFile(f":/{folder}/{name}")
        assert file.open(QFile.OpenModeFlag.ReadOnly)
        assert file.readAll().data() == content
        file.close()
    assert not QFile.exists(f":/{folder}/other.txt")
    assert not QFile.exists(":/elsewhere/file.txt")


def test_fonts_and_icons_come_with_their_licences() -> None:
    fonts = {path.name: path.read_text(encoding="utf-8") for path in (UI / "assets" / "fonts").glob("*-LICENSE.txt")}
    assert set(fonts) == {"Inter-LICENSE.txt", "JetBrainsMono-LICENSE.txt"}
    for text in fonts.values():
        assert "SIL OPEN FONT LICENSE Version 1.1" in text
        assert "PERMISSION & CONDITIONS" in text
    assert "Lucide" in (UI / "assets" / "icons" / "LICENSE.txt").read_text(encoding="utf-8")


def test_the_theme_and_its_widgets_load_nothing_heavy() -> None:
    program = """
import sys
import sptrader_desktop.ui.command_palette, sptrader_desktop.ui.settings_dialog, sptrader_desktop.ui.cheat_sheet
import sptrader_desktop.ui.theme.theme, sptrader_desktop.ui.widgets.notices
print(*(name for name in sys.modules if name in {"pandas", "numba", "pyarrow"} or name.startswith("PySide6.Qt")))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert set(done.stdout.split()) == {"PySide6.QtCore", "PySide6.QtGui", "PySide6.QtSvg", "PySide6.QtWidgets"}
