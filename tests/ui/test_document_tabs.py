"""Open texts beside the chart: what counts as an edit, and what becomes of a tab whose file is renamed."""

from pathlib import Path

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from sptrader_desktop.adapters.component_problems import examine_component
from sptrader_desktop.adapters.text_drafts import TextDrafts
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.navigator import strategy_item
from sptrader_desktop.ui import file_actions
from sptrader_desktop.ui.documents import Documents
from sptrader_desktop.ui.editors.component_editor import ComponentEditor
from sptrader_desktop.ui.editors.strategy_editor import StrategyEditor
from tests.strategy_texts import SMALL
from tests.ui.editors import examine


@pytest.fixture
def documents(qtbot: QtBot, tmp_path: Path) -> Documents:
    keeper = TextDrafts(tmp_path / "kept")
    found = Documents(QWidget(), lambda: StrategyEditor(examine, keeper), lambda: ComponentEditor(examine_component, keeper), keeper)
    qtbot.addWidget(found)
    found.resize(900, 500)
    found.show()
    return found


def test_opening_and_colouring_are_no_edit_and_typing_is(qtbot: QtBot, documents: Documents, tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    edited: list[Path] = []
    documents.edited.connect(edited.append)
    editor = documents.open(path)
    assert editor.edit.highlighter is not None
    qtbot.waitUntil(editor.edit.highlighter.is_done)
    editor.edit.highlighter.rehighlight()
    assert edited == []
    QTest.keyClicks(editor.edit, "#")
    assert edited == [path]
    editor.close_document()


def test_the_keyboard_goes_from_a_tab_that_is_closed_to_the_one_that_comes(qtbot: QtBot, documents: Documents, tmp_path: Path) -> None:
    documents.activateWindow()
    qtbot.waitUntil(documents.isActiveWindow)
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    editor = documents.open(path)
    qtbot.waitUntil(lambda: QApplication.focusWidget() is editor.edit)
    documents.close_current()
    assert documents.currentWidget().hasFocus()


def test_a_file_that_cannot_be_read_has_one_tab_with_its_name(qtbot: QtBot, documents: Documents, tmp_path: Path) -> None:
    path = tmp_path / "prices.parquet"
    path.write_bytes(b"\xff\x00")
    first = documents.open(path)
    assert documents.open(path) is first
    assert documents.tabText(documents.indexOf(first)) == "prices.parquet"
    path.write_text("name: mine\n")
    assert documents.open(path) is first
    assert first.edit.text() == "name: mine\n"


def test_the_tab_of_a_renamed_file_goes_along_with_what_is_not_saved(qtbot: QtBot, documents: Documents, tmp_path: Path) -> None:
    path, new = tmp_path / "small.yaml", tmp_path / "other.yaml"
    path.write_text(SMALL, encoding="utf-8")
    editor = documents.open(path)
    QTest.keyClicks(editor.edit, "# mine")
    path.rename(new)
    documents.moved(path, new)
    assert documents.tabText(1) == "other.yaml •"
    assert documents.open(new) is editor
    assert editor.document.save()
    assert new.read_text(encoding="utf-8") == "# mine" + SMALL
    assert not path.exists()
    editor.close_document()


@pytest.mark.parametrize("is_open", [False, True])
def test_no_file_takes_the_name_of_one_that_is_gone_and_has_text_that_is_kept(documents: Documents, tmp_path: Path, is_open: bool) -> None:
    gone, other = tmp_path / "gone.yaml", tmp_path / "other.yaml"
    for path in (gone, other):
        path.write_text(SMALL, encoding="utf-8")
    editor = documents.open(gone)
    QTest.keyClicks(editor.edit, "# hours of work")
    if not is_open:
        documents.close_current()
    gone.unlink()
    words = "is still open, though its file is gone" if is_open else "has unsaved text, though its file is gone: choose another name$"
    with pytest.raises(DataError, match=words):
        file_actions.rename(strategy_item(other, tmp_path), "gone", documents.moved, documents.refuse_unsaved)
    assert other.exists()
    assert not gone.exists()
    assert documents.open(gone).edit.text() == "# hours of work" + SMALL
    documents.close_current()
