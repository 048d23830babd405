"""A strategy as its author sees it: the text with its problems, and beside it the form over the same text."""

from collections.abc import Callable

from PySide6.QtCore import Signal

from sptrader_desktop.core.components import Catalogue
from sptrader_desktop.core.strategy import Scalar
from sptrader_desktop.core.strategy_fields import Path
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.present.strategy_text import StrategyText
from sptrader_desktop.present.text_files import TextKeeper
from sptrader_desktop.ui.editors.checker import Checker
from sptrader_desktop.ui.editors.editor_pane import EditorPane
from sptrader_desktop.ui.editors.parameter_form import ParameterForm
from sptrader_desktop.ui.editors.yaml_edit import YamlEdit

GOOD = "No problems: this strategy can run"


class StrategyEditor(EditorPane):
    """`examine` says what is known of a text, without raising; it is called in another thread. `textRead` carries its newest answer."""

    textRead = Signal(object)  # a StrategyText

    def __init__(self, examine: Callable[[str], StrategyText], keeper: TextKeeper, zone: Observable[Zone] | None = None) -> None:
        self.yaml = YamlEdit()
        super().__init__(self.yaml, keeper, GOOD, zone)
        self.setObjectName("strategyEditor")
        self.setAccessibleName("Strategy editor")
        self._examine = examine
        self._read: StrategyText | None = None
        self._touched: tuple[Path, int] | None = None
        self._checker: Checker[StrategyText] = Checker(examine, self)
        self._checker.checked.connect(self._take)
        self.form = ParameterForm(self)
        self.form.valueWanted.connect(self.set_value)
        self.body.addWidget(self.form)
        self.body.setStretchFactor(0, 1)
        self.body.setCollapsible(0, False)
        self.yaml.edited.connect(lambda: self._checker.ask(self.yaml.text()))

    def know_components(self, catalogue: Catalogue | None) -> None:
        """Those of the workspace, again whenever they changed; `examine` must know the same."""
        self.yaml.know_components(catalogue)
        self.check_now()

    def check_now(self) -> None:
        self._checker.ask_now(self.yaml.text())

    @property
    def read(self) -> StrategyText:
        """What is known of the text as it is now, read at once if it is newer."""
        text = self.yaml.text()
        if self._read is None or self._read.text != text:
            self._take(self._examine(text))
        assert self._read is not None
        return self._read

    @property
    def is_settled(self) -> bool:
        """Whether what is shown belongs to the text."""
        return self._checker.is_settled

    def set_value(self, path: Path, value: Scalar) -> None:
        """One value in the text, every other character kept. A hand that goes on moving the same value makes one step to undo."""
        stretch, new = self.read.edit(path, value)
        revision = self.yaml.document().revision()
        cursor = self.yaml.cursor_of(stretch)
        if self._touched == (path, revision):
            cursor.joinPreviousEditBlock()
        else:
            cursor.beginEditBlock()
        cursor.insertText(new)
        cursor.endEditBlock()
        self._touched = path, self.yaml.document().revision()
        self._take(self._examine(self.yaml.text()))

    def _take(self, read: object) -> None:
        if not isinstance(read, StrategyText) or read.text != self.yaml.text():
            return
        self._read = read
        self.yaml.know_text(read)
        self.show_problems(read.problems)
        self.form.show_text(read, self.yaml.words.catalogue)
        self.textRead.emit(read)
