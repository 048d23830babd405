"""The window: panes in their places, the commands bound to what they do, and what is kept of it for the next start."""

from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QByteArray, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QMainWindow, QVBoxLayout, QWidget

from sptrader_desktop.present.actions import ACTIONS, Scope
from sptrader_desktop.present.preferences import Preferences
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.present.text_files import TextKeeper
from sptrader_desktop.ui.action_set import ActionSet
from sptrader_desktop.ui.charts.time_chart import TimeChart
from sptrader_desktop.ui.cheat_sheet import CheatSheet
from sptrader_desktop.ui.command_palette import CommandPalette
from sptrader_desktop.ui.desk import Desk, Series
from sptrader_desktop.ui.dock_layout import DockLayout, Pane, Stack
from sptrader_desktop.ui.documents import Documents
from sptrader_desktop.ui.editors.editor_pane import EditorPane
from sptrader_desktop.ui.entry_list import Entry
from sptrader_desktop.ui.host import Host
from sptrader_desktop.ui.kept_preferences import KeptPreferences
from sptrader_desktop.ui.research import Research
from sptrader_desktop.ui.research_page import ResearchPage
from sptrader_desktop.ui.settings_dialog import SettingsDialog
from sptrader_desktop.ui.status_line import StatusLine
from sptrader_desktop.ui.theme.theme import Theme
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.notices import Notice, Notices

TITLE = "SPtrader"
SIZE = QSize(GRID * 360, GRID * 225)
LEFT, RIGHT, BOTTOM = (
    Qt.DockWidgetArea.LeftDockWidgetArea,
    Qt.DockWidgetArea.RightDockWidgetArea,
    Qt.DockWidgetArea.BottomDockWidgetArea,
)
ARRANGEMENTS = {
    "Research": (
        Stack(RIGHT, GRID * 76, ("backtest", "whatIf", "explain")),
        Stack(BOTTOM, GRID * 70, ("results", "equity")),
    ),
}
VIEWS = {
    "view.backtest": "backtest",
    "view.what_if": "whatIf",
    "view.explain": "explain",
    "view.results": "results",
    "view.equity": "equity",
}


class MainWindow(QMainWindow):
    closeAsked = Signal()

    def __init__(self, desk: Desk, host: Host, keeper: TextKeeper, preferences: KeptPreferences, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.setWindowTitle(TITLE)
        self.setMinimumSize(QSize(GRID * 200, GRID * 130))
        self.selection = Selection()
        self._desk, self._host, self._preferences, self._theme = desk, host, preferences, theme
        self.notices = Notices()
        self.research = Research(desk, host.jobs, self.selection, self)
        self.page = ResearchPage(desk, self.research, self.selection, self.notices, self._text_of, host.tell, self)
        self.documents = Documents(self.page.chart, keeper, desk.examine)
        self.setCentralWidget(self._centre())
        self.layouts = DockLayout(self, self._panes(), ARRANGEMENTS)
        self.status = StatusLine(host.jobs, host.lag, self.selection)
        self.setStatusBar(self.status)
        self.actions_ = self._commands()
        self.menus = self.actions_.fill_menu_bar(self.menuBar())
        self.palette_ = CommandPalette(self, self.actions_)
        self.palette_.add_provider(self._strategies_to_open)
        self._join()
        self.resize(SIZE)
        self._wear(preferences.now.value)
        self._restore(preferences.now.value)

    # Start and end

    def offer(self, strategy: Path | None = None, series: Series | None = None) -> None:
        """Fill the choices; the strategy and candles named are chosen, and the candles shown."""
        panel = self.page.panel
        panel.offer(self._desk.strategies(), self._desk.series())
        panel.choose(strategy, series)
        self.actions_.set_state("strategy", panel.chosen_strategy() is not None)
        chosen = panel.chosen_series()
        if chosen is not None:
            self.research.show_series(chosen)

    def closeEvent(self, event: QCloseEvent) -> None:
        """The window goes when everything has stopped, not before."""
        event.ignore()
        self.closeAsked.emit()

    def leave(self) -> None:
        """Keep how it stands, let go of the texts and go."""
        strategy, series = self.page.panel.chosen_strategy(), self.page.panel.chosen_series()
        layouts = {name: b64encode(state).decode() for name, state in self.layouts.kept().items()}
        self._put(
            layouts=layouts,
            geometry=b64encode(bytes(self.saveGeometry().data())).decode(),
            strategy=str(strategy or ""),
            dataset=series.label if series else "",
        )
        for editor in self.documents.editors:
            editor.close_document()
        self.hide()

    # Preferences

    def _put(self, **changed: object) -> None:
        self._preferences.put(replace(self._preferences.now.value, **changed))  # type: ignore[arg-type]  # fields by name

    def _wear(self, preferences: Preferences) -> None:
        self._theme.wear(preferences.theme, preferences.palette, preferences.up_colour, preferences.scale)
        self.selection.zone.set(preferences.zone)
        self.actions_.take_shortcuts(preferences.shortcuts)

    def _restore(self, preferences: Preferences) -> None:
        """As it stood; what cannot be used is said, and that part stands as it comes out of the box."""
        geometry, *_ = _decoded([preferences.geometry])
        if geometry:
            self.restoreGeometry(QByteArray(geometry))
        layouts = dict(zip(preferences.layouts, _decoded(preferences.layouts.values()), strict=True))
        if not self.layouts.take(layouts, self.layouts.name):
            self.notices.tell(Notice("The panes could not be put back as they stood: they stand as at first", "warning"))
        self.actions_.action("layout.lock").setChecked(preferences.layout_locked)
        self.layouts.lock(preferences.layout_locked)
        for sentence in self._preferences.notices:
            self.notices.tell(Notice(sentence, "warning"))

    def _lock(self, is_locked: bool) -> None:
        self.layouts.lock(is_locked)
        self._put(layout_locked=is_locked)

    # How it is put together

    def _centre(self) -> QWidget:
        centre = QWidget()
        centre.setObjectName("centre")
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notices)
        column.addWidget(self.documents, 1)
        return centre

    def _panes(self) -> list[Pane]:
        page = self.page
        return [
            Pane("backtest", "Backtest", page.panel),
            Pane("whatIf", "What If", page.what_if),
            Pane("explain", "Explain", page.explanation),
            Pane("results", "Results", page.results),
            Pane("equity", "Equity", page.equity),
        ]

    def _commands(self) -> ActionSet:
        handlers = self._handlers()
        actions = ActionSet(self, [row for row in ACTIONS if row.id in handlers])
        for name, handler in handlers.items():
            actions.bind(name, handler)
        actions.require_all()
        for chart in (self.page.chart, self.page.equity):
            actions.add_pane(Scope.CHART, chart)
        return actions

    def _handlers(self) -> dict[str, Callable[..., object]]:
        return {
            "file.open": self._open_file,
            "file.edit_strategy": self._edit_strategy,
            "file.close": self.documents.close_current,
            "file.settings": self._open_settings,
            "file.quit": self.close,
            "run.backtest": self.page.run,
            "run.cancel": self.research.cancel,
            "help.palette": self._open_palette,
            "help.keys": self._open_keys,
            "view.chart": self.documents.show_chart,
            "layout.lock": self._lock,
            "layout.reset": self.layouts.reset,
            **{name: lambda pane=pane: self.layouts.show(pane) for name, pane in VIEWS.items()},
            **{name: lambda name=name: self._on_chart(name) for name in self.page.chart.commands()},
            **{row.id: lambda name=row.id: self._on_editor(name) for row in ACTIONS if row.id.startswith("editor.")},
        }

    def _on_editor(self, command: str) -> None:
        editor = self.documents.current_editor
        if editor is not None:
            editor.commands()[command]()

    def _on_chart(self, command: str) -> None:
        """The chart that has the keyboard, else the candles."""
        focused = QApplication.focusWidget()
        while focused is not None and not isinstance(focused, TimeChart):
            focused = focused.parentWidget()
        chart = focused if isinstance(focused, TimeChart) and command in focused.commands() else self.page.chart
        chart.commands()[command]()

    def _join(self) -> None:
        research, actions = self.research, self.actions_
        research.runStarted.connect(lambda _: actions.set_state("job", True))
        research.runEnded.connect(lambda: actions.set_state("job", False))
        research.runFinished.connect(lambda _: actions.set_state("run", True))
        research.runFinished.connect(lambda _: self.layouts.docks["results"].raise_())
        self.page.chart.barChosen.connect(lambda _: self._tell_bar())
        self.page.results.runAsked.connect(self.page.run)
        self.page.panel.strategyChosen.connect(lambda name: actions.set_state("strategy", bool(name)))
        self.page.what_if.applyAsked.connect(self._apply)
        self.documents.opened.connect(self._take_in)
        self.documents.currentChanged.connect(lambda _: actions.set_state("document", self.documents.current_editor is not None))
        self.documents.edited.connect(self._edited)
        self.destroyed.connect(self._preferences.now.watch(self._wear))

    def _tell_bar(self) -> None:
        """A bar was clicked: its explanation comes to the front, and the keyboard stays on the chart."""
        dock = self.layouts.docks["explain"]
        dock.show()
        dock.raise_()

    # Texts

    def _text_of(self, path: Path) -> str:
        return self.documents.text_of(path)

    def _take_in(self, editor: EditorPane) -> None:
        self.actions_.add_pane(Scope.EDITOR, editor)

    def _edited(self, path: Path) -> None:
        if path == self.page.panel.chosen_strategy():
            self.research.inputs_changed("its strategy is being edited")

    def _edit_strategy(self) -> None:
        chosen = self.page.panel.chosen_strategy()
        if chosen is not None:
            self.documents.open(chosen)

    def _apply(self, text: str) -> None:
        """The numbers of the sliders into the text; undo takes them back, and saving stays with the person."""
        finished = self.research.finished
        if finished is not None:
            self.documents.open(Path(finished.recipe.strategy)).edit.take_text(text)

    def _open_file(self) -> None:
        dialog = QFileDialog(self, "Open", str(next(iter(self._desk.strategies()), Path.home()).parent))
        dialog.setObjectName("openDialog")
        dialog.setNameFilters(["Strategies and components (*.yaml *.yml *.py)", "All files (*)"])
        dialog.fileSelected.connect(lambda name: self.documents.open(Path(name)))
        dialog.open()

    def _strategies_to_open(self) -> Iterable[Entry]:
        for path in self.page.panel.strategies:
            yield Entry(str(path), path.stem, partial(self.documents.open, path), "Strategy", icon="file-text")

    # Dialogs

    def _open_palette(self) -> None:
        """It is made after the commands that it lists."""
        self.palette_.open()

    def _open_settings(self) -> SettingsDialog:
        dialog = SettingsDialog(lambda: self._preferences.now.value, self._preferences.put, self.actions_, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
        return dialog

    def _open_keys(self) -> None:
        sheet = CheatSheet(self.actions_, self)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.changeAsked.connect(lambda: self._open_settings().show_keyboard())
        sheet.open()


def _decoded(texts: Iterable[str]) -> list[bytes]:
    """What is no base64 is nothing."""
    found = []
    for text in texts:
        try:
            found.append(b64decode(text, validate=True))
        except (NoBase64, ValueError):
            found.append(b"damaged")
    return found
