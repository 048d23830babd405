"""What opening the window does before its first picture: little, and nothing heavy."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from sptrader_desktop.ui.editors.editor_pane import EditorPane
from tests.ui.windows import driven_window, fresh_home

CODE = """
import gc, linecache, sys
from sptrader_desktop.app.loading import loaded_window

app = loaded_window()
print("collects while it loads:", gc.isenabled())
from sptrader_desktop.settings import load_settings

HEAVY = {"numba", "pandas", "pyarrow.compute", "redis", "psycopg", "httpx", "sqlalchemy", "ruamel", "psutil", "importlib.metadata"}
LATER = {"pyqtgraph.parametertree", "pyqtgraph.graphicsItems.PlotItem", *(
    f"sptrader_desktop.{name}"
    for name in ("ui.data.data_page", "ui.live.live_page", "present.diagnostics", "app.data_desk")
)}


def open_it(host):
    window = app.open_window(host, load_settings())

    def tell():
        host.close()
        print("candles", len(window.page.chart.candles), "heavy", sorted((HEAVY | LATER) & set(sys.modules)))
        print("painted", window.page.chart.panes[0].plot.drawn > 0)
        print("sources kept", len(linecache.cache) > 20)
        print("pages of the guide", window.guide.list.count())

    window.painted.disconnect()
    window.painted.connect(tell)


sys.exit(app.run_window(open_it))
"""


def test_nothing_heavy_is_loaded_before_the_first_picture() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False, timeout=120)
    told = ["collects while it loads: False", "candles 2614 heavy []", "painted True", "sources kept False", "pages of the guide 0"]
    assert (done.returncode, done.stdout.splitlines()) == (0, told), done.stderr


def test_pyqtgraph_is_all_there_for_whoever_asks_for_more_of_it() -> None:
    """Charts load a part of it; Qt's own names are as they were."""
    code = """
import PySide6.QtCore, PySide6.QtGui, PySide6.QtWidgets
QT = PySide6.QtCore, PySide6.QtGui, PySide6.QtWidgets
before = [dir(qt) for qt in QT]
from sptrader_desktop.app.loading import loaded_window
loaded_window()
import sys
print("pyqtgraph.imageview" in sys.modules)
print([set(names) <= set(dir(qt)) for names, qt in zip(before, QT)], len(before[0]) > 200)
from pyqtgraph.Qt import QtCore
print(QtCore.QPointF is PySide6.QtCore.QPointF)
from pyqtgraph.graphicsItems.PlotItem import PlotItem
from pyqtgraph.imageview import ImageView
print(PlotItem.__name__, ImageView.__name__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout.splitlines() == ["False", "[True, True, True] True", "True", "PlotItem ImageView"], done.stderr


@pytest.mark.parametrize("front", ["chart", "ma_crossover"])
def test_what_is_typed_while_the_texts_of_the_last_time_are_opened_goes_on_where_it_began(
    qapp: QApplication, tmp_path: Path, front: str
) -> None:
    with fresh_home(tmp_path), driven_window(qapp) as driven:
        window, spread = driven.window, driven.find(QLineEdit, "spreadAnswer")
        texts = {path.stem: path for path in window.page.panel.strategies}
        opened = tuple(str(texts[name]) for name in ("ma_crossover", "turtle_breakout"))
        assert window.tabs._left is None, "nothing was opened yet"
        window._preferences.now.set(replace(window._preferences.now.value, texts=opened, front=str(texts.get(front, front))))
        spread.setFocus()
        spread.clear()
        driven.press(Qt.Key.Key_1)
        driven.until(lambda: window.tabs._left == [], "the tabs of the last time")
        for key in (Qt.Key.Key_Period, Qt.Key.Key_5):
            driven.press(key)
        assert spread.text() == "1.5"
        editors = window.texts.documents.editors
        assert [(str(editor.path), editor.edit.text()) for editor in editors] == [(path, Path(path).read_text()) for path in opened]
        assert window.texts.documents.currentWidget() is window.page.chart
        driven.settle()


def test_where_nobody_did_anything_the_text_that_was_in_front_is_there_again_and_has_the_keyboard(
    qapp: QApplication, tmp_path: Path
) -> None:
    with fresh_home(tmp_path), driven_window(qapp) as driven:
        window = driven.window
        opened = tuple(str(path) for path in window.page.panel.strategies[:2])
        window._preferences.now.set(replace(window._preferences.now.value, texts=opened, front=opened[0]))
        driven.until(lambda: window.tabs._left == [], "the tabs of the last time")
        first, _ = window.texts.documents.editors
        assert window.texts.documents.current_editor is first
        assert first.isAncestorOf(window.focusWidget())
        driven.settle()


def test_a_text_that_cannot_be_opened_keeps_no_other_closed(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    with fresh_home(tmp_path), driven_window(qapp) as driven, qtbot.captureExceptions() as told:
        window, documents = driven.window, driven.window.texts.documents
        opened, before = [str(path) for path in window.page.panel.strategies[:3]], documents.open

        def fail(path: Path, **how: bool) -> EditorPane:
            if str(path) == opened[0]:
                raise ZeroDivisionError
            return before(path, **how)

        monkeypatch.setattr(documents, "open", fail)
        window._preferences.now.set(replace(window._preferences.now.value, texts=tuple(opened), front=opened[2]))
        driven.until(lambda: window.tabs._left == [], "the tabs of the last time")
        assert [str(editor.path) for editor in documents.editors] == opened[1:]
        assert documents.currentWidget() is documents.editors[1]
        driven.settle()
    assert [kind for kind, *_ in told] == [ZeroDivisionError]


def test_a_person_who_goes_somewhere_before_the_tabs_of_the_last_time_are_there_stays(qapp: QApplication, tmp_path: Path) -> None:
    with fresh_home(tmp_path), driven_window(qapp) as driven:
        window = driven.window
        assert window.tabs._left is None, "nothing was opened yet"
        text = str(window.page.panel.strategies[0])
        window._preferences.now.set(replace(window._preferences.now.value, texts=(text,), front=text))
        page = window.data.open()
        driven.until(lambda: window.tabs._left == [], "the tabs of the last time")
        assert window.texts.documents.currentWidget() is page
        driven.settle()
