"""The guide in the window: nothing of it is lost, every link leads somewhere, and F1 opens it at what has the keyboard."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QCursor, QDesktopServices, QTextTable
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDockWidget, QLineEdit, QMainWindow
from pytestqt.qtbot import QtBot

from sptrader_desktop.present.guide import START, TOPICS, Page, links, page_of, pages, search, topic
from sptrader_desktop.settings import shipped
from sptrader_desktop.ui.editors.strategy_editor import StrategyEditor
from sptrader_desktop.ui.guide_pane import DOCUMENTS, GuidePane
from sptrader_desktop.ui.main_window import MainWindow
from tests.ui.windows import Driven, driven_window, fresh_home

FOLDER = shipped("docs")
GUIDE = [page for name in DOCUMENTS for page in pages((FOLDER / name).read_text(encoding="utf-8"), name)]
LINE = st.sampled_from(["# One", "## Two", "### Three", "text", "```", "# in code?", ""])


@given(st.lists(LINE, max_size=12))
def test_nothing_after_the_first_heading_is_lost_and_code_is_not_split(lines: list[str]) -> None:
    text = "\n".join(["# First", *lines]) + "\n"
    made = pages(text, "x.md")
    assert "".join(page.text for page in made) == text
    assert all(page.text.count("```") % 2 == 0 for page in made[:-1])


@pytest.mark.parametrize("page", GUIDE, ids=lambda page: f"{page.document}#{page.anchor}")
def test_every_link_of_a_page_leads_to_a_page_or_out(page: Page) -> None:
    for link in links(page):
        is_there = page_of(GUIDE, link, page.document) or link.startswith("http") or (FOLDER / link.partition("#")[0]).exists()
        assert is_there, link


def test_every_topic_is_a_page_of_the_guide() -> None:
    assert set(TOPICS.values()) <= {page.anchor for page in GUIDE if page.document == "guide.md"}


def test_the_innermost_name_decides_and_without_one_the_window_is_told() -> None:
    assert topic(["financingAnswer", "backtestPanel"]) == "instruments-and-financing"
    assert topic(["", "capitalAnswer", "backtestPanel", "mainWindow"]) == "running-a-backtest"
    assert topic([]) == START


@given(st.sampled_from(GUIDE))
def test_a_page_is_found_by_its_title(page: Page) -> None:
    assert page in search(GUIDE, page.title.upper())
    found = search(GUIDE, page.title)
    assert page.title.lower() in found[0].title.lower() or all(word in found[0].title.lower() for word in page.title.lower().split())


# The pane


@pytest.fixture
def pane(qtbot: QtBot) -> GuidePane:
    made = GuidePane(FOLDER)
    qtbot.addWidget(made)
    made.resize(900, 500)
    made.show()
    return made


def test_it_opens_at_the_window_and_keys_walk_the_list(pane: GuidePane) -> None:
    assert pane.list.count() == len(GUIDE)
    assert pane.shown
    assert pane.shown.anchor == START
    QTest.keyClick(pane.list, Qt.Key.Key_Down)
    assert pane.shown is not None
    assert pane.shown.title == GUIDE[pane.list.currentRow()].title != "The window"
    assert pane.page.toPlainText().startswith(pane.shown.title)


def test_search_lists_the_pages_that_hold_the_words_and_shows_the_first(pane: GuidePane) -> None:
    QTest.keyClicks(pane.search, "stop_first finer")
    assert 0 < pane.list.count() < len(GUIDE)
    assert pane.shown
    assert "stop_first" in pane.shown.text
    assert "finer" in pane.shown.text
    pane.search.clear()
    assert pane.list.count() == len(GUIDE)


def test_links_go_to_pages_and_out_of_the_guide_to_the_desktop(pane: GuidePane) -> None:
    pane.page.anchorClicked.emit(QUrl("bar-rules.md"))
    assert pane.shown
    assert pane.shown.document == "bar-rules.md"
    pane.page.anchorClicked.emit(QUrl("guide.md#explain"))
    assert pane.shown.title == "Explain"
    opened = Desktop()
    QDesktopServices.setUrlHandler("https", opened, "open")  # type: ignore[arg-type] # the stub asks for bytes, the binding for text
    pane.page.anchorClicked.emit(QUrl("https://example.org/"))
    QDesktopServices.unsetUrlHandler("https")
    assert opened.urls == ["https://example.org/"]
    assert pane.shown.title == "Explain"


class Desktop(QObject):
    """Stands where the browser of the desktop would be asked."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    @Slot(QUrl)
    def open(self, url: QUrl) -> None:
        self.urls.append(url.toString())


def test_pictures_fit_and_tables_have_lines(pane: GuidePane) -> None:
    pane.open_at(START)
    picture = pane.page.loadResource(2, QUrl("images/window.png"))
    assert 0 < picture.width() <= pane.page.viewport().width()
    tables = [frame for frame in pane.page.document().rootFrame().childFrames() if isinstance(frame, QTextTable)]
    assert tables
    assert all(table.format().border() for table in tables)


@pytest.mark.parametrize("width", [320, 720])
def test_no_page_is_read_sideways(pane: GuidePane, width: int) -> None:
    """A table's rounding is one point."""
    pane.resize(width, 500)
    for page in pane._pages:
        pane._go(page)
        assert pane.page.horizontalScrollBar().maximum() <= 1, page.title
    assert pane.page.viewport().width() > width / 2


def test_a_guide_that_is_gone_is_said(qtbot: QtBot, tmp_path: Path) -> None:
    lost = GuidePane(tmp_path)
    qtbot.addWidget(lost)
    lost.show()
    qtbot.waitUntil(lambda: "cannot be read" in lost.page.toPlainText())


def test_behind_other_panes_it_is_read_when_somebody_looks(qtbot: QtBot) -> None:
    window, guide = QMainWindow(), GuidePane(shipped("docs"))
    docks = [QDockWidget("Guide", window), QDockWidget("Other", window)]
    docks[0].setWidget(guide)
    docks[1].setWidget(QLineEdit())
    for dock in docks:
        window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
    window.tabifyDockWidget(*docks)
    docks[1].raise_()
    qtbot.addWidget(window)
    window.show()
    qtbot.wait(50)
    assert guide.list.count() == 0
    docks[0].raise_()
    qtbot.waitUntil(lambda: guide.shown is not None and guide.shown.anchor == START)


# F1


@pytest.fixture(scope="module")
def opened(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    with fresh_home(tmp_path_factory.mktemp("home")), driven_window(qapp) as driven:
        driven.until(lambda: driven.window.page.chart.candles is not None, "the sample's candles")
        yield driven


def shown(window: MainWindow) -> str:
    assert not window.guide.visibleRegion().isEmpty()
    return window.guide.shown.anchor if window.guide.shown else ""


def test_f1_opens_the_guide_at_what_has_the_keyboard(opened: Driven) -> None:
    window = opened.window
    window.page.panel._folded.unfold(True)
    opened.find(QLineEdit, "financingAnswer").setFocus()
    opened.press(Qt.Key.Key_F1)
    assert shown(window) == "instruments-and-financing"
    window.page.chart.setFocus()
    opened.press(Qt.Key.Key_F1)
    assert shown(window) == "the-chart"
    window.page.panel._folded.unfold(False)


def test_f1_asks_what_is_pointed_at_where_the_keyboard_tells_nothing(opened: Driven) -> None:
    window = opened.window
    window.layouts.show("navigator")
    window.texts.navigator.view.setFocus()
    for pointed, anchor in ((window.texts.navigator.view.viewport(), START), (window.page.chart, "the-chart"), (window.menuBar(), START)):
        QCursor.setPos(pointed.mapToGlobal(pointed.rect().center()))
        opened.press(Qt.Key.Key_F1)
        assert shown(window) == anchor
        window.texts.navigator.view.setFocus()
    QCursor.setPos(window.page.chart.mapToGlobal(window.page.chart.rect().center()))
    window.page.panel.strategy.setFocus()
    opened.press(Qt.Key.Key_F1)
    assert shown(window) == "running-a-backtest", "the keyboard goes first"


def test_f1_in_an_editor_explains_the_word(opened: Driven) -> None:
    window = opened.window
    path = next(path for path in window.page.panel.strategies if path.stem == "ma_crossover")
    editor = window.texts.documents.open(path)
    assert isinstance(editor, StrategyEditor)
    cursor = editor.edit.textCursor()
    cursor.setPosition(editor.edit.text().index("entry") + 2)
    editor.edit.setTextCursor(cursor)
    editor.edit.setFocus()
    before = shown(window)
    opened.press(Qt.Key.Key_F1)
    assert shown(window) == before
    assert any(widget.isVisible() and "entr" in widget.text() for widget in QApplication.topLevelWidgets() if hasattr(widget, "text"))
    window.texts.documents.show_chart()
