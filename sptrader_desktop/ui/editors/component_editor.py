"""A component as its author sees it: the source with its problems, and under it what it gives on the candles at hand."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QSplitter

from sptrader_desktop.present.component_output import ComponentReport
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.present.text_files import TextKeeper
from sptrader_desktop.present.text_problems import TextProblem
from sptrader_desktop.ui.editors.checker import Checker
from sptrader_desktop.ui.editors.component_output_pane import ComponentOutputPane
from sptrader_desktop.ui.editors.editor_pane import EditorPane
from sptrader_desktop.ui.editors.python_edit import PythonEdit
from sptrader_desktop.ui.theme.icons import beside, icon
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.elided_label import ElidedLabel

GOOD = "No problems seen without running it"
NO_DATA = "no candles are chosen"
Problems = tuple[TextProblem, ...]


class ComponentEditor(EditorPane):
    """`examine` says what is wrong with a text for a file, without raising, in another thread.

    `runWanted` and `verifyWanted` carry the path, whose file is what the editor shows, and parameters as `name=value`; whoever hears them
    answers with `show_running` and `show_report`.
    """

    runWanted = Signal(object, tuple)
    verifyWanted = Signal(object, tuple)

    def __init__(self, examine: Callable[[str, Path], Problems], keeper: TextKeeper, zone: Observable[Zone] | None = None) -> None:
        super().__init__(PythonEdit(), keeper, GOOD, zone)
        self.setObjectName("componentEditor")
        self.setAccessibleName("Component editor")
        self._checker: Checker[Problems] = Checker(self._examined, self)
        self._checker.checked.connect(self._take)
        self._examine = examine
        self.run_button = self._button("Run on This Data", "play", "runComponentButton", "Save it and compute it (Ctrl+Enter)")
        self.verify_button = self._button(
            "Check for Look-Ahead", "shield-check", "verifyComponentButton", "Does it look ahead, or forget what it needs?"
        )
        self.data_label = ElidedLabel(NO_DATA, self)
        give(self.data_label, role="muted")
        self.params_field = QLineEdit(self)
        self.params_field.setObjectName("componentParameters")
        self.params_field.setAccessibleName("Parameters of the component")
        self.params_field.setPlaceholderText("period=20 …")
        self.params_field.setToolTip("name=value, one after another; what is left out keeps its default")
        self.output = ComponentOutputPane(self)
        self.output.lineWanted.connect(self.edit.go_to_line)
        self._lay_out()
        self.run_button.clicked.connect(self.run)
        self.verify_button.clicked.connect(self.verify)
        self.params_field.returnPressed.connect(self.run)
        self.edit.edited.connect(lambda: self._checker.ask(self.edit.text()))

    def check_now(self) -> None:
        self._checker.ask_now(self.edit.text())

    @property
    def is_settled(self) -> bool:
        return self._checker.is_settled

    def set_data(self, label: str) -> None:
        """Which candles it would run on; nothing when there are none."""
        self.data_label.show_text(label or NO_DATA)
        for button in (self.run_button, self.verify_button):
            button.setEnabled(bool(label))

    def commands(self) -> dict[str, Callable[[], object]]:
        return {**super().commands(), "component.run": self.run, "component.verify": self.verify}

    def run(self) -> None:
        self._ask(self.runWanted)

    def verify(self) -> None:
        self._ask(self.verifyWanted)

    def show_running(self, said: str) -> None:
        self.output.say(said)
        for button in (self.run_button, self.verify_button):
            button.setEnabled(False)

    def show_report(self, report: ComponentReport) -> None:
        for button in (self.run_button, self.verify_button):
            button.setEnabled(True)
        self.output.show_report(report)

    def _ask(self, wanted: SignalInstance) -> None:
        """What runs is the file, so the file is what the editor shows."""
        if not self.run_button.isEnabled() or self.path is None:
            return
        if self.document.is_modified and not self.save():
            return
        wanted.emit(self.path, tuple(self.params_field.text().split()))

    def _examined(self, text: str) -> Problems:
        return self._examine(text, self.path) if self.path is not None else ()

    def _take(self, problems: object) -> None:
        if isinstance(problems, tuple):
            self.show_problems(problems)

    def _lay_out(self) -> None:
        bar = QFrame(self)
        give(bar, role="bar")
        row = QHBoxLayout(bar)
        row.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        row.setSpacing(2 * GRID)
        self.params_field.setMaximumWidth(look().pixels(GRID * 50))
        self.params_field.setMinimumWidth(look().pixels(GRID * 20))
        for widget in (self.run_button, self.verify_button, self.params_field):
            row.addWidget(widget)
        row.setStretchFactor(self.params_field, 1)
        row.addWidget(self.data_label, 2)
        self.column.insertWidget(1, bar)
        self.body.setOrientation(Qt.Orientation.Vertical)
        self.body.addWidget(self.output)
        self.body.setStretchFactor(0, 3)
        self.body.setStretchFactor(1, 2)
        assert isinstance(self.body, QSplitter)
        self.body.setCollapsible(0, False)

    def _button(self, text: str, drawing: str, name: str, tip: str) -> QPushButton:
        button = QPushButton(icon(drawing), beside(text), self)
        button.setObjectName(name)
        button.setAccessibleName(text)
        button.setToolTip(tip)
        return button
