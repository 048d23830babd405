"""All open documents as tabs: a strategy or a component by its ending, each once, with its unsaved changes through closing and restart."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QStackedLayout, QTabBar, QTabWidget, QWidget

from sptrader_desktop.core.components import Catalogue
from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.present.actions import Scope
from sptrader_desktop.present.strategy_text import StrategyText
from sptrader_desktop.present.text_files import TextKeeper
from sptrader_desktop.ui.editors.component_editor import ComponentEditor, Problems
from sptrader_desktop.ui.editors.editor_pane import EditorPane
from sptrader_desktop.ui.editors.strategy_editor import StrategyEditor
from sptrader_desktop.ui.key_names import pressed_command
from sptrader_desktop.ui.theme.icons import icon
from sptrader_desktop.ui.widgets.empty_state import EmptyState

STRATEGIES, COMPONENTS = {".yaml", ".yml"}, {".py"}
EMPTY = "Strategies and components open here. Choose one in the navigator, or start from a template."


class EditorArea(QWidget):
    """`examine_strategy` and `examine_component` are called in other threads and must not raise."""

    currentChanged = Signal(object)  # the EditorPane, or None
    strategyRead = Signal(object, object)  # the Path and its StrategyText, whenever the text has changed
    saved = Signal(object)  # the Path
    failed = Signal(str)
    runWanted = Signal(object, tuple)  # of the component that is open: its Path, and parameters as name=value
    verifyWanted = Signal(object, tuple)

    def __init__(
        self,
        examine_strategy: Callable[[str], StrategyText],
        examine_component: Callable[[str, Path], Problems],
        keeper: TextKeeper,
        new_strategy: Callable[[], object] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("editorArea")
        self.setAccessibleName("Editors")
        self._examine_strategy, self._examine_component, self._keeper = examine_strategy, examine_component, keeper
        self._catalogue: Catalogue | None = None
        self._data = ""
        self.tabs = QTabWidget(self)
        self.tabs.setObjectName("editorTabs")
        self.tabs.setAccessibleName("Open documents")
        self.tabs.setDocumentMode(True)
        self.tabs.setTabsClosable(True)
        self.tabs.setMovable(True)
        self.tabs.tabBar().installEventFilter(self)
        self.tabs.tabCloseRequested.connect(self._close_tab)
        self.tabs.currentChanged.connect(self._tell_current)
        self.empty = EmptyState("file-text", "No document is open", EMPTY, "New Strategy" if new_strategy else "", new_strategy, self)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.tabs)

    # Documents

    def open(self, path: Path) -> EditorPane | None:
        """The editor of that file, in front; None with a reason in `failed` when it cannot be opened."""
        pane = self.pane(path)
        if pane is None:
            pane = self._made(path)
            if pane is None:
                self.failed.emit(f"{path.name} cannot be edited here: strategies end in .yaml and components in .py")
                return None
            if not pane.open(path):
                self.failed.emit(pane.notice.text())
                pane.deleteLater()
                return None
            at = self.tabs.addTab(pane, icon("file-text" if isinstance(pane, StrategyEditor) else "code", "muted"), pane.title)
            self.tabs.setTabToolTip(at, str(path))
            self._name_close_button(at, path)
        self.tabs.setCurrentWidget(pane)
        self._stack.setCurrentWidget(self.tabs)
        return pane

    def open_drafts(self) -> list[Path]:
        """At the start: every file with unsaved changes of the last time. One that is gone is told, and its draft stays."""
        opened = []
        try:
            paths = [draft.path for draft in self._keeper.drafts()]
        except SptraderError as error:
            self.failed.emit(str(error))
            return []
        for path in paths:
            if not path.exists():
                self.failed.emit(f"{path} has unsaved changes but is not there any more: put a file there to get them back")
            elif self.open(path) is not None:
                opened.append(path)
        return opened

    def pane(self, path: Path) -> EditorPane | None:
        return next((pane for pane in self.panes() if pane.path == path), None)

    def panes(self) -> list[EditorPane]:
        return [pane for at in range(self.tabs.count()) if isinstance(pane := self.tabs.widget(at), EditorPane)]

    def current(self) -> EditorPane | None:
        pane = self.tabs.currentWidget()
        return pane if isinstance(pane, EditorPane) else None

    def close_document(self, pane: EditorPane | None = None) -> None:
        """Nothing is asked: what is not saved is a draft, and comes back when the file is opened again."""
        pane = pane or self.current()
        if pane is not None:
            self._close_tab(self.tabs.indexOf(pane))

    def close_all(self) -> None:
        """Before the program ends: every draft is on the disk when this returns."""
        for pane in self.panes():
            pane.close_document()

    def moved(self, old: Path, new: Path) -> None:
        """A file got another name; an editor of it goes along, with what is not saved."""
        pane = self.pane(old)
        if pane is None:
            return
        pane.move_to(new)
        at = self.tabs.indexOf(pane)
        self.tabs.setTabToolTip(at, str(new))
        self._name_close_button(at, new)

    # What they share

    def know_components(self, catalogue: Catalogue | None) -> None:
        self._catalogue = catalogue
        for pane in self.panes():
            if isinstance(pane, StrategyEditor):
                pane.know_components(catalogue)

    def set_data(self, label: str) -> None:
        """The candles that components run on."""
        self._data = label
        for pane in self.panes():
            if isinstance(pane, ComponentEditor):
                pane.set_data(label)

    def commands(self) -> dict[str, Callable[[], object]]:
        """By the ids of the table of actions: of the document in front, nothing without one."""
        pane = self.current()
        return {**pane.commands(), "editor.close": self.close_document} if pane is not None else {}

    def do(self, command: str) -> None:
        act = self.commands().get(command)
        if act is not None:
            act()

    # Within

    def _made(self, path: Path) -> EditorPane | None:
        suffix = path.suffix.lower()
        pane: EditorPane
        if suffix in STRATEGIES:
            pane = strategy = StrategyEditor(self._examine_strategy, self._keeper, self.tabs)
            strategy.know_components(self._catalogue)
            strategy.textRead.connect(lambda read: self.strategyRead.emit(strategy.path, read))
        elif suffix in COMPONENTS:
            pane = component = ComponentEditor(self._examine_component, self._keeper, self.tabs)
            component.set_data(self._data)
            component.runWanted.connect(self.runWanted)
            component.verifyWanted.connect(self.verifyWanted)
        else:
            return None
        pane.titleChanged.connect(lambda title: self.tabs.setTabText(self.tabs.indexOf(pane), title))
        pane.saved.connect(self.saved)
        return pane

    def _close_tab(self, at: int) -> None:
        pane = self.tabs.widget(at)
        if not isinstance(pane, EditorPane):
            return
        pane.close_document()
        self.tabs.removeTab(at)
        pane.deleteLater()
        if not self.tabs.count():
            self._stack.setCurrentWidget(self.empty)

    def _tell_current(self) -> None:
        self.currentChanged.emit(self.current())

    def _name_close_button(self, at: int, path: Path) -> None:
        button = self.tabs.tabBar().tabButton(at, QTabBar.ButtonPosition.RightSide)
        if button is not None:
            button.setObjectName("closeTabButton")
            button.setAccessibleName(f"Close {path.name}")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The middle button closes a tab."""
        is_release = event.type() == QEvent.Type.MouseButtonRelease and isinstance(event, QMouseEvent)
        if is_release and isinstance(event, QMouseEvent) and event.button() == Qt.MouseButton.MiddleButton:
            self._close_tab(self.tabs.tabBar().tabAt(event.position().toPoint()))
            return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The keys of the table: the same where the window has made actions of it and where it has not."""
        command = pressed_command(event, Scope.EDITOR)
        if command in self.commands():
            self.do(command)
            return
        super().keyPressEvent(event)


def paths_of(panes: Sequence[EditorPane]) -> list[str]:
    """For a session that is to be as it was."""
    return [str(pane.path) for pane in panes if pane.path is not None]
