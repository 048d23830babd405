"""The small widgets that panes share, moved by real keys and clicks."""

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QHelpEvent, QTextDocumentFragment
from PySide6.QtGui import Qt as Guess
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QListWidget, QProgressBar, QPushButton, QToolButton, QToolTip, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from sptrader_desktop.present.log_lines import LogLine, LogLines
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.present.text_problems import Stretch, TextProblem
from sptrader_desktop.present.waiting import time_left
from sptrader_desktop.ui.editors.problems_list import ProblemsList
from sptrader_desktop.ui.live.live_questions import STOP_WORDS
from sptrader_desktop.ui.live.question import Question
from sptrader_desktop.ui.log_pane import LogTable
from sptrader_desktop.ui.results.pictures import labelled
from sptrader_desktop.ui.theme.theme import Theme
from sptrader_desktop.ui.widgets.badge import Badge
from sptrader_desktop.ui.widgets.choice_box import ChoiceBox
from sptrader_desktop.ui.widgets.column_scroll import ColumnScroll
from sptrader_desktop.ui.widgets.elided_label import ElidedLabel
from sptrader_desktop.ui.widgets.empty_state import EmptyState
from sptrader_desktop.ui.widgets.icon_label import IconLabel
from sptrader_desktop.ui.widgets.notices import SHOWN, Notice, NoticeBar, Notices
from sptrader_desktop.ui.widgets.progress_line import ProgressLine
from sptrader_desktop.ui.widgets.search_field import SearchField
from sptrader_desktop.ui.widgets.tile import Tile

LEFT = Qt.MouseButton.LeftButton


def shown(qtbot: QtBot, widget: QWidget) -> QWidget:
    qtbot.addWidget(widget)
    widget.show()
    widget.activateWindow()
    return widget


# Asking


def test_a_question_shows_all_its_words(qtbot: QtBot, theme: Theme) -> None:
    window = shown(qtbot, QWidget())
    for count in range(1, 12):
        asked = Question("question", "Title", "\n".join([STOP_WORDS, "", *["long 40,000 EURUSD  +34.70 USD"] * count]), window)
        asked.leave("leave", "Leave")
        asked.open()
        QApplication.processEvents()
        assert asked.words.height() >= asked.words.heightForWidth(asked.words.width()), count
        asked.close()


# Labels of columns


@given(rooms=st.lists(st.floats(0, 80), max_size=60), width=st.floats(2, 60), fixed=st.integers(0, 59))
def test_labels_are_evenly_spaced_and_never_touch(rooms: list[float], width: float, fixed: int) -> None:
    shown_at = list(labelled(rooms, width, min(fixed, max(0, len(rooms) - 1))))
    assert {later - earlier for earlier, later in pairwise(shown_at)} <= {step := shown_at[1] - shown_at[0] if shown_at[1:] else 0}
    assert not step or step * width >= max(rooms)
    assert not rooms or min(fixed, len(rooms) - 1) in shown_at


# Waiting


@example(seconds=365.25)
@given(seconds=st.floats(0, 400_000))
def test_time_left_is_near_and_rounder_the_longer_it_is(seconds: float) -> None:
    said = time_left(seconds).removesuffix(" left").split()
    factors = {"s": 1, "min": 60, "h": 3600}
    meant = sum(int(number) * factors[unit] for number, unit in zip(said[::2], said[1::2], strict=True))
    assert abs(meant - seconds) <= (0.5 if seconds < 59.5 else 5 if seconds < 594 else 30)


def test_progress_says_what_how_far_and_how_long_and_asks_once_to_stop(qtbot: QtBot) -> None:
    line = ProgressLine()
    shown(qtbot, line)
    bar = line.findChild(QProgressBar)
    assert bar is not None
    line.start("Backtest of EURUSD")
    assert (bar.minimum(), bar.maximum()) == (0, 0)
    line.show_progress(0.25, "Backtest of EURUSD", 3.2)
    assert bar.value() / bar.maximum() == 0.25
    words = line.findChild(ElidedLabel)
    assert words is not None
    line.resize(900, 40)
    assert {"Backtest of EURUSD", "3 s left"} <= {label.text() for label in line.findChildren(QLabel)}
    line.resize(300, 40)
    assert (words.text()[-1], words.toolTip(), words.whole_text()) == ("…", "Backtest of EURUSD", "Backtest of EURUSD")
    with qtbot.waitSignal(line.cancelAsked):
        QTest.mouseClick(line.button, LEFT)
    with qtbot.assertNotEmitted(line.cancelAsked):
        QTest.mouseClick(line.button, LEFT)
    assert line.button.text() == "Stopping…"
    line.start("Another")
    assert (line.button.text(), line.button.isEnabled()) == ("Cancel", True)


# Words


def test_an_empty_pane_offers_the_step_that_fills_it(qtbot: QtBot) -> None:
    taken: list[str] = []
    pane = EmptyState("chart-candlestick", "No candles yet", "Import a file.", "Import…", lambda: taken.append("import"))
    shown(qtbot, pane)
    QTest.mouseClick(pane.button, LEFT)
    QTest.keyClick(pane.button, Qt.Key.Key_Space)
    assert taken == ["import", "import"]
    without = EmptyState("info", "Nothing to do", "All is well.")
    shown(qtbot, without)
    assert without.button.isHidden()


def test_an_empty_pane_that_is_low_leaves_out_its_drawing_and_cuts_no_word(qtbot: QtBot) -> None:
    window = QWidget()
    pane = EmptyState("info", "Nothing to do", "All is well with what there is.", parent=window)
    shown(qtbot, window)
    drawing = pane.findChild(IconLabel)
    assert drawing is not None
    for height, is_drawn in ((300, True), (100, False), (85, False), (300, True), (98, False)):
        pane.setGeometry(0, 0, 300, height)
        QApplication.processEvents()
        assert drawing.isVisible() is is_drawn, height
        words = [label for label in pane.findChildren(QLabel) if label.isVisible()]
        assert len(words) == 2
        assert all(label.height() >= label.heightForWidth(label.width()) for label in words), height


def test_a_tile_says_name_value_and_unit_and_is_defined_for_the_keyboard_too(qtbot: QtBot) -> None:
    tile = Tile("Max drawdown", "The deepest fall from a peak of equity.")
    shown(qtbot, tile)
    assert tile.accessibleName() == "Max drawdown: –"
    tile.show_value("-12.40", "%", "down")
    assert tile.accessibleName() == "Max drawdown: -12.40 %"
    assert tile.focusPolicy() & Qt.FocusPolicy.TabFocus
    assert tile.accessibleDescription() == tile.toolTip() == "The deepest fall from a peak of equity."
    assert Tile("Trades").focusPolicy() == Qt.FocusPolicy.NoFocus


def test_a_badge_without_a_word_is_not_there(qtbot: QtBot) -> None:
    pane = QWidget()
    badge = Badge("STALE", "warning", pane)
    shown(qtbot, pane)
    assert badge.isVisible()
    badge.show_word("")
    assert not badge.isVisible()


def test_what_is_looked_for_is_cleared_by_escape_and_left_by_down(qtbot: QtBot) -> None:
    pane = QWidget()
    column, found = QVBoxLayout(pane), QListWidget()
    field = SearchField("Search trades", "tradesSearch", found)
    column.addWidget(field)
    column.addWidget(found)
    shown(qtbot, pane)
    field.setFocus()
    QTest.keyClicks(field, "eur")
    assert field.text() == "eur"
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == ""
    QTest.keyClick(field, Qt.Key.Key_Down)
    qtbot.waitUntil(found.hasFocus)


def test_a_column_that_scrolls_asks_for_the_width_of_what_is_in_it(qtbot: QtBot) -> None:
    content = QWidget()
    column = QVBoxLayout(content)
    label = QLabel("Spread")
    column.addWidget(label)
    scroll = ColumnScroll(content)
    shown(qtbot, scroll)
    for words in ("Spread", "Commission for each lot and side", "Spread"):
        label.setText(words)
        qtbot.waitUntil(lambda: scroll.minimumWidth() == content.minimumSizeHint().width() + scroll.verticalScrollBar().sizeHint().width())
        scroll.resize(scroll.minimumWidth(), 100)
        qtbot.waitUntil(lambda: label.width() >= label.fontMetrics().horizontalAdvance(label.text()))


def test_a_choice_without_room_ends_in_dots_and_says_itself_whole(qtbot: QtBot) -> None:
    box = ChoiceBox()
    box.addItem("EURUSD 1h · EURUSD_1h_2024-01-02_2024-05-31")
    shown(qtbot, box)
    box.resize(600, 28)
    assert box.shown_text() == box.currentText()
    wide = box.grab().toImage()
    box.resize(140, 28)
    assert box.shown_text().startswith("EURUSD")
    assert box.shown_text().endswith("…")
    assert box.fontMetrics().horizontalAdvance(box.shown_text()) < 140
    where = box.rect().center()
    QApplication.sendEvent(box, QHelpEvent(QEvent.Type.ToolTip, where, box.mapToGlobal(where)))
    assert QToolTip.text() == box.currentText()
    assert box.grab().toImage() != wide
    QToolTip.hideText()


# Notices


def visible(notices: Notices) -> list[str]:
    return [bar.notice.text for bar in notices.findChildren(NoticeBar) if bar.isVisibleTo(notices)]


def test_a_few_notices_are_shown_and_none_is_lost(qtbot: QtBot) -> None:
    notices = Notices()
    qtbot.addWidget(notices)
    bars = [notices.tell(Notice(f"problem {number}", "error")) for number in range(SHOWN + 2)]
    assert sorted(visible(notices)) == ["problem 2", "problem 3", "problem 4"]
    assert "2 more" in {label.text() for label in notices.findChildren(QLabel)}
    dismiss = bars[-1].findChild(QToolButton, "noticeDismissButton")
    assert dismiss is not None
    QTest.mouseClick(dismiss, LEFT)
    assert sorted(visible(notices)) == ["problem 1", "problem 2", "problem 3"]
    for bar in bars:
        bar.dismissed.emit()
    assert notices.waiting() == []
    assert notices.isHidden()


def test_words_of_others_are_shown_letter_by_letter(qtbot: QtBot) -> None:
    """A label takes what looks like HTML for it, and leaves the tags out."""
    said = "<b>close</b> is no column of <i>prices.csv</i>"
    shown = QWidget()
    qtbot.addWidget(shown)
    column = QVBoxLayout(shown)
    for widget in (NoticeBar(Notice(said)), EmptyState("database", said, said)):
        column.addWidget(widget)
    labels = [label for label in shown.findChildren(QLabel) if said in label.text()]
    assert len(labels) == 3
    assert {label.textFormat() for label in labels} == {Qt.TextFormat.PlainText}


def test_a_notice_does_what_it_offers_and_goes(qtbot: QtBot) -> None:
    notices, done = Notices(), list[str]()
    qtbot.addWidget(notices)
    bar = notices.tell(Notice("EURUSD.csv has vanished; choose it again", "warning", "Choose…", lambda: done.append("chosen")))
    assert bar.accessibleName().startswith("Warning: EURUSD.csv")
    action = bar.findChild(QPushButton, "noticeActionButton")
    assert action is not None
    QTest.mouseClick(action, LEFT)
    assert done == ["chosen"]
    assert notices.waiting() == []


def test_a_notice_of_the_same_key_takes_the_place_of_the_old(qtbot: QtBot) -> None:
    notices = Notices()
    qtbot.addWidget(notices)
    for text in ("connecting", "connected"):
        notices.tell(Notice(text, key="server"))
    notices.tell(Notice("saved", "done"))
    assert [notice.text for notice in notices.waiting()] == ["saved", "connected"]
    notices.dismiss("server")
    assert [notice.text for notice in notices.waiting()] == ["saved"]


# Words of others


def read(said: str) -> str:
    """As Qt shows a tooltip: by guessing whether it has a format."""
    return QTextDocumentFragment.fromHtml(said).toPlainText() if Guess.mightBeRichText(said) else said


@given(st.sampled_from(["<b>bold</b>", "period <int> is missing", "a < b", "<img src='http://elsewhere/'>", "&lt;b&gt;", "plain\nlines"]))
def test_tooltips_with_words_of_others_are_read_letter_by_letter(qapp: QApplication, others: str) -> None:
    lines, label, problems, parent = LogLines(), ElidedLabel(), ProblemsList("good"), QWidget()
    lines.add([LogLine(0, 20, "component.sma", others)])
    table, role = LogTable(lines, Observable(Zone.UTC), parent), Qt.ItemDataRole.ToolTipRole
    label.show_text(others)
    problems.show_problems((TextProblem(Stretch(0, 1), 1, 1, others),))
    tips = [table.index(0, 3).data(role), label.toolTip(), problems.view.model().index(0, 1).data(role)]
    assert [read(said) for said in tips] == [others] * 3
