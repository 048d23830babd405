"""The window: panes in their places, the commands bound to what they do, and what is kept of it for the next start."""

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QByteArray, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QVBoxLayout, QWidget

from sptrader_desktop.present.actions import ACTIONS, Scope
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui.action_set import ActionSet
from sptrader_desktop.ui.charts.time_chart import TimeChart
from sptrader_desktop.ui.desk import Desk, Series
from sptrader_desktop.ui.dock_layout import DockLayout, Pane, Stack
from sptrader_desktop.ui.host import Host
from sptrader_desktop.ui.research import Research
from sptrader_desktop.ui.research_page import ResearchPage
from sptrader_desktop.ui.status_line import StatusLine
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.notices import Notices

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

    def __init__(self, desk: Desk, host: Host, selection: Selection | None = None) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.setWindowTitle(TITLE)
        self.setMinimumSize(QSize(GRID * 200, GRID * 130))
        self.selection = selection or Selection()
        self._desk, self._host = desk, host
        self.notices = Notices()
        self.research = Research(desk, host.jobs, self.selection, self)
        self.page = ResearchPage(desk, self.research, self.selection, self.notices, _text_of, host.tell, self)
        self.setCentralWidget(self._centre())
        self.layouts = DockLayout(self, self._panes(), ARRANGEMENTS)
        self.status = StatusLine(host.jobs, host.lag, self.selection)
        self.setStatusBar(self.status)
        self.actions_ = self._commands()
        self.menus = self.actions_.fill_menu_bar(self.menuBar())
        self._join()
        self.resize(SIZE)

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

    def restore(self, geometry: bytes, layouts: Mapping[str, bytes], name: str, *, is_locked: bool) -> bool:
        """As it stood. False: that could not be used, and it stands as it comes out of the box."""
        if geometry:
            self.restoreGeometry(QByteArray(geometry))
        is_used = self.layouts.take(layouts, name)
        self.actions_.action("layout.lock").setChecked(is_locked)
        self.layouts.lock(is_locked)
        return is_used

    # How it is put together

    def _centre(self) -> QWidget:
        centre = QWidget()
        centre.setObjectName("centre")
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notices)
        column.addWidget(self.page.chart, 1)
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
            "file.quit": self.close,
            "run.backtest": self.page.run,
            "run.cancel": self.research.cancel,
            "view.chart": lambda: self.page.chart.setFocus(Qt.FocusReason.ShortcutFocusReason),
            "layout.lock": self.layouts.lock,
            "layout.reset": self.layouts.reset,
            **{name: lambda pane=pane: self.layouts.show(pane) for name, pane in VIEWS.items()},
            **{name: lambda name=name: self._on_chart(name) for name in self.page.chart.commands()},
        }

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

    def _tell_bar(self) -> None:
        """A bar was clicked: its explanation comes to the front, and the keyboard stays on the chart."""
        dock = self.layouts.docks["explain"]
        dock.show()
        dock.raise_()


def _text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")
