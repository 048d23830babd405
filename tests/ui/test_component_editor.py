"""A component is written, checked, run on real candles, and what is found leads to its line."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.component_catalogue import load_catalogue
from sptrader_desktop.adapters.component_problems import examine_component
from sptrader_desktop.adapters.inprocess_components import InProcessRunner
from sptrader_desktop.adapters.text_drafts import TextDrafts
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.ports import Answer, ComponentJob
from sptrader_desktop.present.component_output import ComponentReport, component_report, failure_report, honesty_report
from sptrader_desktop.present.navigator import Kind
from sptrader_desktop.present.templates import new_text
from sptrader_desktop.runtime.honesty import Subject, examine
from sptrader_desktop.ui.editors.component_editor import ComponentEditor
from sptrader_desktop.ui.editors.component_output_pane import HONESTY, PRINTED, RESULT
from sptrader_desktop.ui.editors.python_edit import PythonEdit
from tests.command_line import SAMPLE

Key, Control = Qt.Key, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "workspace" / "core" / "indicators" / "trend" / "middle.py"
    path.parent.mkdir(parents=True)
    path.write_text(new_text(Kind.INDICATOR, "middle", "trend"), encoding="utf-8")
    return path


@pytest.fixture
def opened(qtbot: QtBot, path: Path) -> ComponentEditor:
    editor = ComponentEditor(examine_component, TextDrafts(path.parent.parent / "kept"))
    qtbot.addWidget(editor, before_close_func=lambda widget: widget.close_document())
    editor.resize(900, 700)
    editor.show()
    editor.set_data("EURUSD 1h")
    assert editor.open(path)
    qtbot.waitUntil(lambda: editor.is_settled)
    editor.edit.setFocus()
    return editor


def candles() -> Candles:
    return load_candles(SAMPLE)


def really_run(path: Path, params: dict[str, Decimal] | None = None) -> tuple[ComponentReport, Answer]:
    workspace = path.parents[3]
    found = load_catalogue(workspace)
    spec = found.named("middle")
    (answer,) = InProcessRunner(workspace, found).run([ComponentJob(spec.dotted, params or {}, candles())])
    return component_report(spec, candles(), answer), answer


def test_problems_of_python_and_of_metadata_are_seen_without_running_it(qtbot: QtBot, opened: ComponentEditor) -> None:
    assert opened.problems.headline.text().startswith("✓")
    good = opened.edit.text()
    for old, new, said, word in (
        ("    def calculate(self", "    def calculate(self self", "is not Python: ", "self self"),
        ('"warm_up": "period"', '"warm_up": "perod"', "perod is neither a whole number nor a parameter", "perod"),
        ('"name": "middle"', '"name": "other"', "must be the file's name, middle", "other"),
        ("def calculate", "def compute", "must hold one class with a method calculate", "The middle"),
    ):
        opened.edit.take_text(good.replace(old, new))
        qtbot.waitUntil(lambda: opened.is_settled)
        (problem,) = opened.edit.problems()
        assert said in problem.message
        assert word in opened.edit.text().splitlines()[problem.line - 1]
        assert "middle.py" not in problem.message


def test_run_saves_first_and_carries_the_parameters(qtbot: QtBot, opened: ComponentEditor, path: Path) -> None:
    opened.edit.take_text(opened.edit.text().replace("# Only", "# only"))
    opened.params_field.setText("period=10")
    with qtbot.waitSignal(opened.runWanted) as wanted:
        QTest.keyClick(opened.edit, Key.Key_Return, Control)
    assert wanted.args == [path, ("period=10",)]
    assert "# only" in path.read_text(encoding="utf-8")
    opened.show_running("running …")
    with qtbot.assertNotEmitted(opened.runWanted):
        QTest.keyClick(opened.edit, Key.Key_Return, Control)
    opened.set_data("")
    assert not opened.verify_button.isEnabled()


def test_the_values_of_a_run_stand_in_the_table(qtbot: QtBot, opened: ComponentEditor, path: Path) -> None:
    report, answer = really_run(path, {"period": Decimal(10)})
    opened.show_report(report)
    assert (
        opened.output.title.text() == f"✓ indicators.trend.middle on EURUSD 1h, {len(candles()):,} bars: middle on {len(candles()) - 9:,}"
    )
    assert opened.output.tabs.currentIndex() == RESULT
    lines = opened.output.table.csv().splitlines()
    assert len(lines) == 1 + len(candles())
    shown = [float(line.rpartition(",")[2]) for line in lines[10:]]
    np.testing.assert_array_equal(shown, answer.values()["middle"][9:])


def test_an_error_leads_to_its_line(qtbot: QtBot, opened: ComponentEditor, path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace("        top, bottom", "        1 / 0\n        top, bottom"), encoding="utf-8")
    qtbot.waitUntil(lambda: "1 / 0" in opened.edit.text())
    report, answer = really_run(path)
    assert isinstance(answer.result, ComponentError)
    opened.show_report(report)
    assert opened.output.tabs.currentIndex() == PRINTED
    assert opened.output.title.text() == "✗ indicators.trend.middle failed"
    printed, line = opened.output.printed, opened.edit.text()[: opened.edit.text().index("1 / 0")].count("\n") + 1
    assert printed.model().index(0, 0).data() == f"line {line}:  ZeroDivisionError: division by zero; mend the component or its parameters"
    printed.setCurrentIndex(printed.model().index(0, 0))
    QTest.keyClick(printed, Key.Key_Return)
    assert opened.edit.textCursor().block().text().strip() == "1 / 0"


def test_what_it_prints_is_shown_and_tracebacks_lead_to_their_line(path: Path) -> None:
    spec = load_catalogue(path.parents[3]).named("middle")
    stderr = f'Traceback:\n  File "{path}", line 7, in calculate\n  File "elsewhere.py", line 9, in x'
    report = component_report(spec, candles(), Answer({"middle": np.full(len(candles()), np.nan)}, "hello\nthere", stderr))
    assert [(line.text, line.line) for line in report.printed][:2] == [("hello", None), ("there", None)]
    assert [line.line for line in report.printed][2:] == [None, 7, None]
    assert report.title.endswith("middle on 0")
    failed = failure_report("nothing was run", f"{path}:3: is broken", path)
    assert (failed.printed[0].text, failed.printed[0].line) == ("is broken", 3)


def test_a_component_that_looks_ahead_is_found_out_with_its_line(qtbot: QtBot, opened: ComponentEditor, path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("(top + bottom) / 2", "(top + bottom).shift(-1) / 2")
    opened.edit.take_text(text)
    assert opened.document.save()
    workspace = path.parents[3]
    found = load_catalogue(workspace)
    (verdict,) = examine([Subject(found.named("middle"), {})], candles(), InProcessRunner(workspace, found))
    opened.show_report(honesty_report(verdict))
    assert opened.output.tabs.currentIndex() == HONESTY
    assert "cannot be traded on" in opened.output.title.text()
    rows = [opened.output.honesty.model().index(row, 0).data() for row in range(opened.output.honesty.model().rowCount())]
    assert sum("✗" in row for row in rows) == 1
    bad = next(row for row in range(len(rows)) if "✗" in rows[row])
    with qtbot.waitSignal(opened.output.lineWanted) as wanted:
        opened.output.honesty.activated.emit(opened.output.honesty.model().index(bad, 0))
    assert opened.edit.textCursor().blockNumber() + 1 == wanted.args[0]


def test_the_line_that_is_being_typed_stays_in_sight_when_what_is_below_takes_room(qtbot: QtBot) -> None:
    edit = PythonEdit()
    qtbot.addWidget(edit)
    edit.resize(500, 400)
    edit.setPlainText("a = 1\n" * 200)
    edit.show()
    edit.moveCursor(QTextCursor.MoveOperation.End)
    for height in (300, 120):
        edit.resize(500, height)
        assert edit.viewport().rect().contains(edit.cursorRect())
    edit.verticalScrollBar().setValue(0)
    edit.resize(500, 300)
    assert edit.verticalScrollBar().value() == 0, "whoever reads elsewhere goes on reading"
