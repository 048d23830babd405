"""Failures as a person meets them, About, and diagnostics without secrets; through real events."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel, QLineEdit, QListWidget, QPlainTextEdit, QPushButton, QTreeWidget, QWidget
from pytestqt.qtbot import QtBot

from sptrader_desktop import __version__
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.diagnostics import LIBRARIES, diagnostics_text, diagnostics_zip, licence_text
from sptrader_desktop.present.failures import Failure, Failures
from sptrader_desktop.present.log_lines import LogLine
from sptrader_desktop.settings import load_settings
from sptrader_desktop.ui.about import BUNDLED, AboutDialog
from sptrader_desktop.ui.failure_dialog import FailureDialog
from sptrader_desktop.ui.help_commands import HelpCommands
from sptrader_desktop.ui.host import Host

W = TypeVar("W", bound=QWidget)


def part(parent: QWidget, kind: type[W], name: str) -> W:
    found = parent.findChild(kind, name)
    assert found is not None, name
    return found


def click(parent: QWidget, name: str) -> None:
    QTest.mouseClick(part(parent, QPushButton, name), Qt.MouseButton.LeftButton)


def shown_failures(qtbot: QtBot) -> tuple[Failures, FailureDialog]:
    def text(said: Sequence[Failure]) -> str:
        return diagnostics_text(said)

    failures = Failures()
    dialog = FailureDialog(failures, text)
    qtbot.addWidget(dialog)
    return failures, dialog


def divided() -> ZeroDivisionError:
    try:
        return ZeroDivisionError(1 // 0)
    except ZeroDivisionError as error:
        return error


# Failures


def test_the_dialog_opens_at_the_first_failure_and_collects_the_others(qtbot: QtBot) -> None:
    failures, dialog = shown_failures(qtbot)
    assert not dialog.isVisible()
    failures.tell(DataError("row 7: high is below low: mend the file"), "opening the candles")
    assert dialog.isVisible()
    assert not dialog.isModal()
    assert part(dialog, QLabel, "failureWhat").text() == "Opening the candles failed"
    assert part(dialog, QLabel, "failureWhy").text() == "row 7: high is below low: mend the file"
    assert not part(dialog, QListWidget, "failureList").isVisible()
    assert not part(dialog, QPushButton, "showDetailsButton").isVisible()
    for _ in range(3):
        failures.tell(divided(), "painting the chart")
    rows = part(dialog, QListWidget, "failureList")
    assert [rows.item(row).text() for row in range(rows.count())] == ["Opening the candles failed", "Painting the chart failed (3 times)"]
    assert part(dialog, QLabel, "failureWhat").text() == "Opening the candles failed", "what somebody reads is not taken away"


def test_the_traceback_is_shown_when_it_is_asked_for(qtbot: QtBot) -> None:
    failures, dialog = shown_failures(qtbot)
    failures.tell(divided(), "painting the chart")
    details = part(dialog, QPlainTextEdit, "failureDetails")
    assert not details.isVisible()
    click(dialog, "showDetailsButton")
    assert details.isVisible()
    assert "ZeroDivisionError" in details.toPlainText()
    click(dialog, "showDetailsButton")
    assert not details.isVisible()


def test_the_keyboard_walks_through_failures_copies_and_closes(qtbot: QtBot) -> None:
    failures, dialog = shown_failures(qtbot)
    failures.tell(DataError("first"), "opening")
    failures.tell(DataError("redis://:hunter2hunter2@host is down"), "connecting")
    QTest.keyClick(part(dialog, QListWidget, "failureList"), Qt.Key.Key_Down)
    assert part(dialog, QLabel, "failureWhat").text() == "Connecting failed"
    QTest.keyClick(part(dialog, QPushButton, "copyDiagnosticsButton"), Qt.Key.Key_Space)
    copied = QGuiApplication.clipboard().text()
    assert "redis://***@host is down" in copied
    assert f"SPtrader Desktop {__version__}" in copied
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    assert failures.said.value == ()
    failures.tell(DataError("first"), "opening")
    assert dialog.isVisible()


def test_failures_after_the_dialog_is_gone_reach_nobody_dead(qtbot: QtBot) -> None:
    failures = Failures()
    dialog = FailureDialog(failures, lambda _: "")
    dialog.deleteLater()
    qtbot.waitUntil(lambda: not failures.said._watchers)
    failures.tell(DataError("first"), "opening")


# About


def test_about_names_all_that_the_program_is_made_of_with_its_licence(qtbot: QtBot) -> None:
    dialog = AboutDialog()
    qtbot.addWidget(dialog)
    tree, text = part(dialog, QTreeWidget, "librariesTree"), part(dialog, QPlainTextEdit, "licenceText")
    names = [str(tree.model().index(row, 0).data()) for row in range(tree.topLevelItemCount())]
    assert names == [*(library.name for library in BUNDLED), *LIBRARIES]
    assert "SIL OPEN FONT LICENSE" in text.toPlainText().upper()
    QTest.keyClick(tree, Qt.Key.Key_Down)
    QTest.keyClick(tree, Qt.Key.Key_Down)
    assert "ISC License" in text.toPlainText()
    for row in range(len(names)):
        tree.setCurrentIndex(tree.model().index(row, 0))
        assert text.toPlainText()
    assert "Redistribution and use" in licence_text("pandas")
    click(dialog, "copyVersionsButton")
    assert f"SPtrader Desktop {__version__}" in QGuiApplication.clipboard().text()
    click(dialog, "closeAboutButton")


# The Help menu


class Folders(QObject):
    """Stands where the file manager of the desktop would be asked."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    @Slot(QUrl)
    def open(self, url: QUrl) -> None:
        self.opened.append(url.toLocalFile())


def test_folders_are_made_and_opened(host: Host, qtbot: QtBot, tmp_path: Path) -> None:
    folders, window = Folders(), QWidget()
    qtbot.addWidget(window)
    settings = replace(load_settings(), logs=tmp_path / "new" / "logs", workspace=tmp_path / "workspace")
    commands = HelpCommands(host, settings, window, str)
    QDesktopServices.setUrlHandler("file", folders, "open")  # type: ignore[arg-type] # the stub asks for bytes, the binding for text
    commands.open_log_folder()
    commands.open_data_folder()
    QDesktopServices.unsetUrlHandler("file")
    assert folders.opened == [str(tmp_path / "new" / "logs"), str(tmp_path / "workspace")]
    assert (tmp_path / "new" / "logs").is_dir()


def test_diagnostics_are_saved_where_the_person_says(host: Host, qtbot: QtBot, tmp_path: Path) -> None:
    said: list[str] = []
    window = QWidget()
    qtbot.addWidget(window)
    host.log.add([LogLine(1_704_774_600_000_000, 20, "job", "Backtest: done")])
    HelpCommands(host, load_settings(), window, said.append).save_diagnostics()
    dialog = part(window, QFileDialog, "saveDiagnosticsDialog")
    part(dialog, QLineEdit, "fileNameEdit").setText(str(tmp_path / "mine.zip"))
    QTest.keyClick(part(dialog, QLineEdit, "fileNameEdit"), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(said))
    assert str(tmp_path / "mine.zip") in said[0]
    with zipfile.ZipFile(tmp_path / "mine.zip") as archive:
        assert archive.read("log.txt").decode() == "2024-01-09 04:30:00.000 note    job: Backtest: done"


def test_a_place_that_cannot_be_written_is_told_as_a_failure(host: Host, qtbot: QtBot, tmp_path: Path) -> None:
    job = HelpCommands(host, load_settings(), QWidget(), str).write_diagnostics(tmp_path / "no folder" / "mine.zip")
    qtbot.waitUntil(lambda: job.is_over and bool(host.failures.said.value))
    assert "the diagnostics could not be written" in host.failures.said.value[0].why
    host.failures.forget()


def test_diagnostics_hold_four_texts_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://:hunter2hunter2@host")
    failures = Failures()
    failures.tell(ValueError("password=hunter2hunter2"), "connecting")
    log = [LogLine(0, 20, "job", "token: hunter2hunter2")]
    packed = diagnostics_zip(failures.said.value, log, load_settings(), {"api_key": "hunter2hunter2"})
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert set(texts) == {"failures.txt", "versions.txt", "settings.txt", "log.txt"}
    assert [name for name, text in texts.items() if "hunter2" in text] == []
    assert "pandas" in texts["versions.txt"]
    assert "redis_url: set" in texts["settings.txt"]
