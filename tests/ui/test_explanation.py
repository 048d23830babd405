"""From decision to decision, and why: by key, by button, by row; copied, stale, empty and refused."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QTextBrowser, QToolButton

from sptrader_desktop.present.decision_rows import decision_listing, decision_stamps, neighbour
from sptrader_desktop.present.selection import BarAt, Zone
from sptrader_desktop.ui.main_window import CLICK_A_BAR
from sptrader_desktop.ui.theme.look import look
from tests.ui.windows import Driven, driven_window, fresh_home

SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture(scope="module")
def ran(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    with fresh_home(tmp_path_factory.mktemp("home")), driven_window(qapp) as driven:
        driven.until(lambda: driven.window.page.chart.candles is not None, "the sample's candles")
        assert driven.find(QPushButton, "explainStep").isVisibleTo(driven.window.page.explanation)
        driven.press(Qt.Key.Key_F5)
        driven.until(lambda: driven.window.research.finished, "the run")
        driven.settle()
        yield driven


@given(st.lists(st.integers(0, 50), unique=True), st.none() | st.integers(-1, 51), st.booleans())
def test_the_neighbour_is_the_nearest_beyond(stamps: list[int], at: int | None, forward: bool) -> None:
    beyond = [one for one in stamps if at is None or (one > at if forward else one < at)]
    expected = (min if forward else max)(beyond, default=None)
    assert neighbour(np.array(sorted(stamps), np.int64), at, forward) == expected


def test_before_a_bar_is_chosen_the_pane_offers_the_first_decision(ran: Driven) -> None:
    ran.window._bring("explain")
    button = ran.find(QPushButton, "explainFirstButton")
    assert button.isVisible()
    ran.click(button)
    ran.settle()
    assert ran.window.selection.bar.value == BarAt("EURUSD", int(stamps(ran)[0]))
    assert not button.isVisible()


def stamps(ran: Driven) -> list[int]:
    finished = ran.window.research.finished
    assert finished
    return [int(one) for one in decision_stamps(finished.result, "EURUSD")]


def test_decisions_are_exactly_the_bars_of_the_table(ran: Driven) -> None:
    finished = ran.window.research.finished
    assert finished
    listing = decision_listing(finished.result, Zone.UTC)
    assert stamps(ran) == sorted({listing.bar_of(row).stamp for row in range(len(listing.table))})
    assert len(decision_stamps(finished.result, "no such symbol")) == 0


def test_keys_and_buttons_walk_over_every_decision_and_stop_at_the_ends(ran: Driven) -> None:
    window, all_stamps = ran.window, stamps(ran)
    window.selection.bar.set(BarAt("EURUSD", all_stamps[0]))
    ran.press(Qt.Key.Key_F7)
    ran.press(Qt.Key.Key_F7)
    assert window.selection.bar.value == BarAt("EURUSD", all_stamps[2])
    ran.press(Qt.Key.Key_F7, SHIFT)
    assert window.selection.bar.value == BarAt("EURUSD", all_stamps[1])
    ran.settle()
    assert CLICK_A_BAR not in [notice.text for notice in window.notices.waiting()], "who was explained a bar knows it"
    assert "Entry rule 1" in window.page.explanation.text()
    ran.click(ran.find(QToolButton, "explainNextButton"))
    ran.click(ran.find(QToolButton, "explainPreviousButton"))
    ran.click(ran.find(QToolButton, "explainPreviousButton"))
    ran.click(ran.find(QToolButton, "explainPreviousButton"))
    assert window.selection.bar.value == BarAt("EURUSD", all_stamps[0])
    assert window.notices.waiting()[0].text == "EURUSD: no decision before this bar"
    window.notices.dismiss("decision")


def test_a_row_of_the_decisions_leads_to_its_explanation(ran: Driven) -> None:
    window = ran.window
    window.page.results.show_tab("decisions")
    ran.settle()
    window._bring("backtest")
    table = window.page.results.tables["decisions"]
    table.choose(3)
    table.view.setFocus()
    QTest.keyClick(table.view, Qt.Key.Key_Return)
    ran.settle()
    assert not window.page.explanation.visibleRegion().isEmpty()
    assert window.page.explanation.text().startswith("EURUSD 1h, bar ")


def test_what_is_copied_is_what_the_command_line_prints(ran: Driven) -> None:
    ran.click(ran.find(QToolButton, "explainCopyButton"))
    copied = QGuiApplication.clipboard().text()
    assert copied == ran.window.page.explanation.text()
    assert copied.endswith("\n")
    assert "Entry rule 1" in copied


def test_what_would_have_had_to_differ_stands_out(ran: Driven) -> None:
    html = ran.find(QTextBrowser, "explainText").toHtml()
    needs = [part for part in html.split("<p ") if "→" in part]
    assert needs
    assert all(look().colour("raised").name() in part for part in needs)
    assert look().colour("raised").name() not in "".join(part for part in html.split("<p ") if "→" not in part)


def test_changed_answers_make_the_explanation_stale_and_a_run_makes_it_fresh(ran: Driven) -> None:
    badge = ran.window.page.explanation._stale
    spread = ran.find(QLineEdit, "spreadAnswer")
    spread.setText("0.7")
    assert (badge.text(), badge.isHidden()) == ("STALE", False)
    assert "Spread is 0.7 pips now, was 0 pips" in badge.toolTip()
    spread.setText("0")
    before = ran.window.research.finished
    ran.press(Qt.Key.Key_F5)
    ran.until(lambda: ran.window.research.finished is not before, "the run")
    ran.settle()
    assert badge.isHidden()


def test_a_bar_that_is_not_of_the_run_is_refused_where_it_would_be_explained(ran: Driven) -> None:
    ran.window.selection.bar.set(BarAt("EURUSD", 1))
    ran.settle()
    assert "1970" in ran.window.page.explanation.text()
    ran.window.selection.bar.set(None)


def test_the_hint_comes_with_the_first_run_and_never_again(ran: Driven) -> None:
    assert "click" in ran.window._preferences.now.value.hints
    said = [notice.text for notice in ran.window.notices.waiting()]
    assert said.count(CLICK_A_BAR) <= 1
    ran.window.notices.dismiss("hint click")
    before = ran.window.research.finished
    ran.press(Qt.Key.Key_F5)
    ran.until(lambda: ran.window.research.finished is not before, "another run")
    ran.settle()
    assert CLICK_A_BAR not in [notice.text for notice in ran.window.notices.waiting()]
