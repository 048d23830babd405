"""Export from the window: asked by the menu, written beside the window, and a failure is a sentence."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel, QMenu
from pytestqt.qtbot import QtBot

from sptrader_desktop import compose
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.settings import load_settings
from sptrader_desktop.ui.results.export_button import KINDS, ExportButton
from sptrader_desktop.ui.results.results_panel import ResultsPanel
from tests.small_runs import small_run
from tests.test_run_compare import keep


@pytest.fixture
def panel(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ResultsPanel:
    monkeypatch.setenv("SPTRADER_RUNS", str(tmp_path / "runs"))
    settings, selection = load_settings(), Selection()
    selection.run.set(keep(compose.run_store(settings)))

    def export(kind: str, out: Path) -> None:
        compose.export_run(settings, selection.run.value, kind, out, over=True)

    made = ResultsPanel(selection, export)
    qtbot.addWidget(made)
    made.resize(760, 400)
    made.show()
    made.show_result(small_run())
    return made


def button_of(panel: ResultsPanel) -> ExportButton:
    found = panel.findChild(ExportButton)
    assert isinstance(found, ExportButton)
    return found


def message_of(panel: ResultsPanel) -> QLabel:
    found = panel.findChild(QLabel, "resultsMessage")
    assert isinstance(found, QLabel)
    return found


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_each_kind_is_written_where_it_was_asked(qtbot: QtBot, panel: ResultsPanel, tmp_path: Path, kind: tuple[str, ...]) -> None:
    name, text, suffix, _ = kind
    button = button_of(panel)
    menu = button.menu()
    assert isinstance(menu, QMenu)
    next(action for action in menu.actions() if action.text() == text).trigger()
    dialog = panel.window().findChild(QFileDialog, "exportRunDialog")
    assert isinstance(dialog, QFileDialog)
    assert dialog.selectedFiles()[0].endswith(f"r0001-by_eye.{suffix}")
    dialog.close()
    out = tmp_path / f"mine.{suffix}"
    with qtbot.waitSignal(button.said) as told:
        dialog.fileSelected.emit(str(out))
        assert not button.isEnabled()
    assert told.args == [f"Written to {out}", True]
    assert button.isEnabled()
    assert message_of(panel).text() == f"Written to {out}"
    beginnings = {"html": b"<!doctype html>", "csv": b"id,symbol,", "bundle": b"PK"}
    assert out.read_bytes().startswith(beginnings[name])


def test_a_place_that_cannot_be_written_is_one_sentence(qtbot: QtBot, panel: ResultsPanel, tmp_path: Path) -> None:
    with qtbot.waitSignal(button_of(panel).said) as told:
        button_of(panel).write("html", tmp_path / "nowhere" / "x.html")
    assert told.args is not None
    assert "x.html was not written: No such file or directory." in str(told.args[0])
    assert message_of(panel).isVisible()
    panel._selection.run.set("r9999-gone")
    with qtbot.waitSignal(button_of(panel).said) as told:
        button_of(panel).write("csv", tmp_path / "x.csv")
    assert told.args is not None
    assert "there is no run r9999-gone" in str(told.args[0])
    panel.show_result(small_run())
    assert not message_of(panel).isVisible()


def test_the_menu_opens_from_the_keyboard(qtbot: QtBot, panel: ResultsPanel) -> None:
    button = button_of(panel)
    menu = button.menu()
    assert isinstance(menu, QMenu)
    menu.aboutToShow.connect(menu.deleteLater, Qt.ConnectionType.QueuedConnection)
    with qtbot.waitSignal(menu.aboutToShow):
        QTest.keyClick(button, Qt.Key.Key_Space)
