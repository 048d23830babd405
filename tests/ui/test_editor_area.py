"""Open documents as tabs: each once, closed without a question and without a loss, found again at the next start; and new ones made."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTabBar
from pytestqt.qtbot import QtBot

from sptrader_desktop.adapters.component_problems import examine_component
from sptrader_desktop.adapters.text_drafts import TextDrafts
from sptrader_desktop.adapters.yaml_strategy import examine_strategy
from sptrader_desktop.present.actions import ACTIONS, BY_ID, Scope
from sptrader_desktop.present.code_words import Role
from sptrader_desktop.present.navigator import Kind
from sptrader_desktop.ui.editors.component_editor import ComponentEditor
from sptrader_desktop.ui.editors.editor_area import EditorArea, paths_of
from sptrader_desktop.ui.editors.highlighter import colour_of
from sptrader_desktop.ui.editors.new_file_dialog import NewFileDialog
from sptrader_desktop.ui.editors.strategy_editor import StrategyEditor
from sptrader_desktop.ui.theme import look as look_module
from sptrader_desktop.ui.theme.look import Look
from sptrader_desktop.ui.theme.tokens import colours
from tests.indicator_markets import catalogue
from tests.strategy_texts import FULL, SMALL
from tests.ui.colour_sums import contrast

Key, Control = Qt.Key, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "everything.yaml").write_text(FULL, encoding="utf-8")
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    (tmp_path / "try.py").write_text("x = 1\n", encoding="utf-8")
    return tmp_path


def area_of(qtbot: QtBot, folder: Path) -> EditorArea:
    area = EditorArea(examine_strategy, examine_component, TextDrafts(folder / "kept"))
    qtbot.addWidget(area, before_close_func=lambda widget: widget.close_all())
    area.know_components(catalogue())
    area.set_data("EURUSD 1h")
    area.resize(1000, 600)
    area.show()
    return area


@pytest.fixture
def area(qtbot: QtBot, folder: Path) -> EditorArea:
    return area_of(qtbot, folder)


def test_each_file_opens_once_in_the_editor_of_its_kind(qtbot: QtBot, area: EditorArea, folder: Path) -> None:
    assert area.empty.isVisible()
    first, component = area.open(folder / "everything.yaml"), area.open(folder / "try.py")
    assert (type(first), type(component)) == (StrategyEditor, ComponentEditor)
    assert area.open(folder / "everything.yaml") is first
    assert area.current() is first
    assert paths_of(area.panes()) == [str(folder / "everything.yaml"), str(folder / "try.py")]
    with qtbot.waitSignal(area.strategyRead) as read:
        area.panes()[0].check_now()
    assert read.args[0] == folder / "everything.yaml"
    assert read.args[1].strategy.name == "everything"


def test_what_cannot_be_edited_says_why(qtbot: QtBot, area: EditorArea, folder: Path) -> None:
    for name, said in (("x.parquet", "strategies end in .yaml"), ("missing.yaml", "cannot be read")):
        with qtbot.waitSignal(area.failed) as failed:
            assert area.open(folder / name) is None
        assert said in failed.args[0]
    assert area.tabs.count() == 0


def test_a_tab_closes_without_a_question_and_its_changes_are_there_again(qtbot: QtBot, area: EditorArea, folder: Path) -> None:
    pane = area.open(folder / "small.yaml")
    assert pane is not None
    QTest.keyClicks(pane.edit, "# mine")
    assert area.tabs.tabText(0) == "small.yaml •"
    QTest.keyClick(pane.edit, Key.Key_W, Control)
    assert area.tabs.count() == 0
    assert area.empty.isVisible()
    assert (folder / "small.yaml").read_text(encoding="utf-8") == SMALL
    again = area_of(qtbot, folder)
    assert again.open_drafts() == [folder / "small.yaml"]
    current = again.current()
    assert current is not None
    assert current.edit.text() == "# mine" + SMALL
    bar = again.tabs.tabBar()
    QTest.mouseClick(bar, Qt.MouseButton.MiddleButton, pos=bar.tabRect(0).center())
    assert again.tabs.count() == 0


def test_a_draft_whose_file_is_gone_is_told_and_kept(qtbot: QtBot, area: EditorArea, folder: Path) -> None:
    pane = area.open(folder / "small.yaml")
    assert pane is not None
    QTest.keyClicks(pane.edit, "# mine")
    area.close_document()
    (folder / "small.yaml").unlink()
    with qtbot.waitSignal(area.failed) as failed:
        assert area.open_drafts() == []
    assert "is not there any more" in failed.args[0]
    assert len(TextDrafts(folder / "kept").drafts()) == 1


def test_a_renamed_file_keeps_its_editor_and_what_is_not_saved(qtbot: QtBot, area: EditorArea, folder: Path) -> None:
    saved, unsaved = area.open(folder / "everything.yaml"), area.open(folder / "small.yaml")
    assert saved is not None
    assert unsaved is not None
    QTest.keyClicks(unsaved.edit, "# mine")
    for name in ("everything", "small"):
        (folder / f"{name}.yaml").rename(folder / f"{name}2.yaml")
        area.moved(folder / f"{name}.yaml", folder / f"{name}2.yaml")
    assert [area.tabs.tabText(at) for at in range(2)] == ["everything2.yaml", "small2.yaml •"]
    assert unsaved.edit.text() == "# mine" + SMALL
    assert unsaved.document.save()
    assert (folder / "small2.yaml").read_text(encoding="utf-8") == "# mine" + SMALL
    assert not (folder / "small.yaml").exists()
    unsaved.document.close()
    assert TextDrafts(folder / "kept").drafts() == ()


def test_commands_go_to_the_document_in_front(area: EditorArea, folder: Path) -> None:
    assert area.commands() == {}
    area.do("editor.comment")
    area.open(folder / "small.yaml")
    component = area.open(folder / "try.py")
    assert component is not None
    area.do("editor.comment")
    assert component.edit.text() == "# x = 1\n"
    every = {row.id for row in ACTIONS if row.scope is Scope.EDITOR}
    assert every == set(area.commands())
    assert all(BY_ID[name].needs in {"document", "component"} for name in every)


def test_every_tab_can_be_closed_by_those_who_do_not_see_it(area: EditorArea, folder: Path) -> None:
    area.open(folder / "small.yaml")
    button = area.tabs.tabBar().tabButton(0, QTabBar.ButtonPosition.RightSide)
    assert button is not None
    assert button.accessibleName() == "Close small.yaml"


# New files


def test_a_new_strategy_is_made_from_a_name_that_is_free(qtbot: QtBot, folder: Path) -> None:
    (folder / "my_strategy.yaml").write_text("", encoding="utf-8")
    dialog = NewFileDialog(Kind.STRATEGY, [folder])
    qtbot.addWidget(dialog)
    dialog.open()
    assert dialog.name.text() == "my_strategy_2"
    dialog.name.clear()
    for typed, said in (("My", "small letters"), ("small", "of that name already")):
        dialog.name.setText(typed)
        assert said in dialog.fault.text()
        assert not dialog.make_button.isEnabled()
    dialog.name.clear()
    QTest.keyClicks(dialog.name, "idea")
    with qtbot.waitSignal(dialog.made) as made:
        QTest.keyClick(dialog.name, Key.Key_Return)
    assert made.args == [folder / "idea.yaml"]
    assert examine_strategy((folder / "idea.yaml").read_text(encoding="utf-8")).problems == ()


def test_a_new_indicator_goes_to_its_family(qtbot: QtBot, tmp_path: Path) -> None:
    families = [tmp_path / "core" / "indicators" / name for name in ("momentum", "trend")]
    dialog = NewFileDialog(Kind.INDICATOR, families)
    qtbot.addWidget(dialog)
    dialog.open()
    dialog.family.setCurrentText("trend")
    with qtbot.waitSignal(dialog.made) as made:
        QTest.mouseClick(dialog.make_button, Qt.MouseButton.LeftButton)
    text = made.args[0].read_text(encoding="utf-8")
    assert made.args == [families[1] / "my_indicator.py"]
    assert '"family": "trend"' in text
    assert examine_component(text, made.args[0]) == ()


# Contrast


@pytest.mark.parametrize("is_dark", [True, False])
@pytest.mark.parametrize("is_colour_blind", [True, False])
def test_every_colour_of_a_word_can_be_read(is_dark: bool, is_colour_blind: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    worn = colours(dark=is_dark, colour_blind=is_colour_blind)
    monkeypatch.setattr(look_module, "_in_force", Look(worn, is_dark))
    for role in Role:
        assert contrast(colour_of(role).name(), worn.field) >= 4.5, role
