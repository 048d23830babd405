"""New files from templates, commands of the editors, and colours that can be read."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from sptrader_desktop.adapters.component_problems import examine_component
from sptrader_desktop.adapters.text_drafts import TextDrafts
from sptrader_desktop.adapters.yaml_strategy import examine_strategy
from sptrader_desktop.present.actions import ACTIONS, BY_ID, Scope
from sptrader_desktop.present.code_words import Role
from sptrader_desktop.present.navigator import Kind
from sptrader_desktop.ui.editors.component_editor import ComponentEditor
from sptrader_desktop.ui.editors.highlighter import colour_of
from sptrader_desktop.ui.editors.new_file_dialog import NewFileDialog
from sptrader_desktop.ui.key_names import portable, sequences
from sptrader_desktop.ui.theme import look as look_module
from sptrader_desktop.ui.theme.look import Look
from sptrader_desktop.ui.theme.tokens import colours
from tests.documents import GUIDE
from tests.ui.colour_sums import contrast

Key = Qt.Key


def test_every_command_of_an_editor_is_a_row_of_the_table_and_every_row_is_one(qtbot: QtBot, tmp_path: Path) -> None:
    component = ComponentEditor(examine_component, TextDrafts(tmp_path))
    qtbot.addWidget(component)
    every = {row.id for row in ACTIONS if row.scope is Scope.EDITOR}
    assert every == set(component.commands())
    assert all(BY_ID[name].needs in {"document", "component"} for name in every)


def test_a_new_strategy_is_made_from_a_name_that_is_free(qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path
    (folder / "small.yaml").write_text("", encoding="utf-8")
    (folder / "my_strategy.yaml").write_text("", encoding="utf-8")
    dialog = NewFileDialog(Kind.STRATEGY, [folder])
    qtbot.addWidget(dialog)
    dialog.open()
    assert dialog.name.text() == "my_strategy_2"
    dialog.name.clear()
    for typed, said in (("My", "A strategy's name has 1 to 64 small letters"), ("small", "There is one of that name already")):
        dialog.name.setText(typed)
        assert said in dialog.fault.text()
        assert not dialog.make_button.isEnabled()
    dialog.name.clear()
    QTest.keyClicks(dialog.name, "idea")
    with qtbot.waitSignal(dialog.made) as made:
        QTest.keyClick(dialog.name, Key.Key_Return)
    assert made.args == [folder / "idea.yaml"]
    assert examine_strategy((folder / "idea.yaml").read_text(encoding="utf-8")).problems == ()


def test_why_a_file_cannot_be_made_stands_there_whole(qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "strategies"
    dialog = NewFileDialog(Kind.STRATEGY, [folder])
    qtbot.addWidget(dialog)
    dialog.open()
    dialog.resize(dialog.minimumSize())  # two lines for what is said, in any font
    folder.write_text("in the way of the folder")
    QTest.keyClick(dialog.name, Key.Key_Return)
    assert "was not made" in dialog.fault.text()
    QApplication.processEvents()
    assert dialog.fault.height() >= dialog.fault.heightForWidth(dialog.fault.width()) > dialog.name.height()
    assert dialog.rect().contains(dialog.buttons.geometry())


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


# What the guide says


def test_the_guide_names_the_keys_that_the_table_of_actions_has() -> None:
    section = GUIDE.partition("\n## The editors\n")[2].partition("\n## ")[0]
    told = [key for line in section.splitlines() if line.startswith("| ") for key in line.split("|")[1].strip().split(", ")]
    bound = {
        portable(one).replace("Return", "Enter")
        for row in ACTIONS if row.scope is Scope.EDITOR
        for one in sequences(row.keys)
    }  # fmt: skip
    assert [key for key in told if key not in bound] == ["key", "Ctrl and the wheel"]
    assert {"F2", "Ctrl+D", "Del"} <= {key for row in ACTIONS if row.scope is Scope.NAVIGATOR for key in row.keys}
