"""The window: panes in their places, the commands bound to what they do, and what is kept of it for the next start."""

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QCoreApplication, QEvent, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QVBoxLayout, QWidget

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.actions import Menu, Scope
from sptrader_desktop.present.layout_file import decoded, encoded
from sptrader_desktop.present.preferences import Preferences
from sptrader_desktop.present.run_form import answers_of
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.present.text_files import TextKeeper
from sptrader_desktop.settings import Settings, shipped
from sptrader_desktop.ui.action_set import ActionSet
from sptrader_desktop.ui.afterwards import AFTER_PAINTING, Afterwards
from sptrader_desktop.ui.arrangements import ARRANGEMENTS, LEAST_OF, VIEWS
from sptrader_desktop.ui.arrangements import LEAST as LEAST_PANE
from sptrader_desktop.ui.charts.candle_chart import CandleChart
from sptrader_desktop.ui.charts.time_chart import TimeChart
from sptrader_desktop.ui.connection_line import ConnectionLine
from sptrader_desktop.ui.data.data_desk import DataDesk
from sptrader_desktop.ui.data_tab import DataTab
from sptrader_desktop.ui.desk import Desk, Finished, Series
from sptrader_desktop.ui.dock_layout import DockLayout, Pane
from sptrader_desktop.ui.editors.component_editor import ComponentEditor
from sptrader_desktop.ui.editors.editor_pane import EditorPane
from sptrader_desktop.ui.guide_help import GuideHelp
from sptrader_desktop.ui.guide_pane import GuidePane
from sptrader_desktop.ui.help_commands import HelpCommands
from sptrader_desktop.ui.host import Host
from sptrader_desktop.ui.kept_preferences import KeptPreferences
from sptrader_desktop.ui.layout_commands import LayoutCommands
from sptrader_desktop.ui.live.live_desk import LiveDesk
from sptrader_desktop.ui.live_tab import LiveTab
from sptrader_desktop.ui.log_pane import LogPane
from sptrader_desktop.ui.market.chart_document import ChartDocument
from sptrader_desktop.ui.market.kept_market import KeptMarket
from sptrader_desktop.ui.market_page import MarketPage
from sptrader_desktop.ui.open_tabs import OpenTabs
from sptrader_desktop.ui.personal_tools import PersonalTools, follow
from sptrader_desktop.ui.prices_page import PricesPage
from sptrader_desktop.ui.research import Research
from sptrader_desktop.ui.research_page import ResearchPage
from sptrader_desktop.ui.runs_page import RunsPage
from sptrader_desktop.ui.status_line import StatusLine
from sptrader_desktop.ui.texts_page import TextsPage
from sptrader_desktop.ui.theme.theme import Theme
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.composite import go_to_next, parts_of
from sptrader_desktop.ui.widgets.notices import Notice, Notices

LOG = logging.getLogger("sptrader.window")
TITLE = "SPtrader"
TABLES = "results"  # under which name it is kept how they stand
SIZE = QSize(GRID * 360, GRID * 225)
LEAST = QSize(GRID * 200, GRID * 130)
MOST_COVERED = 1000  # widgets of panes behind others that Tab leaves out at once
CLICK_A_BAR = "Click any bar of the chart, and Explain says why it traded or did not"


class MainWindow(QMainWindow):
    closeAsked = Signal()
    painted = Signal()  # the first picture; nothing heavy is loaded before it

    def __init__(
        self,
        desk: Desk,
        data_desk: DataDesk,
        live_desk: LiveDesk,
        host: Host,
        settings: Settings,
        keeper: TextKeeper,
        preferences: KeptPreferences,
        theme: Theme,
    ) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.setWindowTitle(TITLE)
        self.setMinimumSize(LEAST)
        self.selection = Selection()
        self._desk, self._preferences, self._is_painted = desk, preferences, False
        self._room = ""  # the workspace in use
        self.afterwards = Afterwards(self)
        self.guide = GuidePane(shipped("docs"))
        self.notices, self.log = Notices(), LogPane(host.log, self.selection.zone)
        self.kept_market = KeptMarket(desk.documents, host.jobs)
        self.research = Research(desk, host.jobs, self.selection, self)
        self.page = ResearchPage(desk, self.research, self.selection, self.notices, self._text_of, host.tell, self.kept_market.book, self)
        self.texts = TextsPage(desk, host.jobs, self.research, self.page.panel, self.page.chart, keeper, self.notices, self.selection.zone)
        self.market = MarketPage(
            desk,
            host.jobs,
            self.kept_market,
            self.selection,
            self.texts.documents,
            lambda: self.page.panel.series,
            self._looked_at,
            self.notices,
            host.tell,
        )
        self.prices = PricesPage(
            desk, host.jobs, self.kept_market, self.selection, lambda: self.page.panel.series, self.notices, host.task, self
        )
        self.runs = RunsPage(desk, host.jobs, self.research, self.selection, self.notices, self)
        self.data = DataTab(
            data_desk,
            host.jobs,
            self.selection,
            self.page.chart,
            self.texts.documents,
            self.texts.navigator,
            self.research,
            self.page.panel,
            self.market.open_chart,
            host.tell,
        )
        self.live = LiveTab(live_desk, host, self.selection, self.texts.documents, self, desk.documents, self.page.panel.answers)
        self.tabs = OpenTabs(self.texts.documents, self.page.chart, {"dataPage": self.data.open, "livePage": self.live.open})
        self.tools = PersonalTools(self, preferences.now)
        self.help = HelpCommands(host, settings, self, lambda words: self.notices.tell(Notice(words, "done")))
        self.setCentralWidget(self._centre())
        self.texts.documents.show_chart()  # the keyboard begins there, also where the system gives it to this window later
        self._take_room()
        self.layouts = DockLayout(self, self._panes(), ARRANGEMENTS)
        self.placing = LayoutCommands(self.layouts, preferences.now, self.notices, self.texts.documents.currentWidget, self)
        self.status = StatusLine(host.jobs, host.lag, self.selection)
        self.setStatusBar(self.status)
        self.status.insertPermanentWidget(3, ConnectionLine(self.prices.feed, self.live.session))  # the first of those at the right
        for widget in (self.prices.badge, self.live.foot):
            self.status.addPermanentWidget(widget)
        self.actions_ = self._commands()
        self.menus = self.actions_.fill_menu_bar(self.menuBar())
        self.tools.join(self.actions_).add_provider(self.texts.entries)
        host.logged.connect(self.log.show_added)
        self.placing.join(self.actions_)
        self.live.join(self.actions_)
        self._join()
        follow(preferences.now, theme, self.selection.zone)
        self._restore(preferences.now.value)

    # Start and end

    def offer(self, strategy: Path | None = None, series: Series | None = None) -> None:
        """Fill the choices; the strategy and candles named are chosen, and the candles shown."""
        panel = self.page.panel
        panel.offer(self._desk.strategies(), self._desk.series())
        panel.choose(strategy, None if panel.is_elsewhere else series)  # which would be asked for instead of what was
        self.actions_.set_state("strategy", panel.chosen_strategy() is not None)
        chosen = panel.shown_series()
        if panel.is_elsewhere:
            self.page.invite_elsewhere()
            self._tell_painted()
        elif chosen is None:
            self._tell_painted()
        else:
            self.research.show_series(chosen)

    def _tell_painted(self) -> None:
        """When Qt has painted it; from then on there is time for other things, once."""
        if not self._is_painted:
            self._is_painted = True
            QCoreApplication.postEvent(self, QEvent(QEvent.Type.User), AFTER_PAINTING)

    def customEvent(self, _event: QEvent) -> None:
        self.painted.emit()

    def settle_in(self) -> None:
        """What may come after the first picture."""
        self.afterwards.do(
            self.texts.navigator.refresh,
            self.runs.history.reload,
            self.market.restore,
            lambda: self.texts.tell_drafts(self._preferences.now.value.texts),
            lambda: self.tabs.restore(self._preferences.now.value),
            self.live.session.follow,
            self.status.show_memory,
        )

    def come_to_front(self) -> None:
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab goes from what is seen to what is seen."""
        for _ in range(MOST_COVERED):
            if not super().focusNextPrevChild(forward):
                return False
            focused = QApplication.focusWidget()
            if focused is None or not self.layouts.is_behind(focused):
                return True
        return True

    def _go_to_next(self, *, forward: bool) -> None:
        docks = [dock for dock in self.layouts.docks.values() if dock.isVisible() and not dock.visibleRegion().isEmpty()]
        go_to_next([*docks, *parts_of(self.texts.documents.currentWidget())], forward=forward)

    def closeEvent(self, event: QCloseEvent) -> None:
        """The window goes when everything has stopped, not before; and never with text that is nowhere else."""
        event.ignore()
        for asked in ("exposed", "live"):  # about what was so before
            self.notices.dismiss(asked)
        held = self.live.what_stays()
        runs_on = f"A live session runs, with {held}. It goes on without this window; to end it first, press Stop on the Live page"
        exposed = [editor.path.name for editor in self.texts.documents.editors if editor.path and not editor.document.protect()]
        if exposed:
            instead = "Make room on the disk and save it, or copy it into another program"
            said = f"{', '.join(exposed)}: what is not saved cannot be kept, and would be lost. {instead}"
            said, close = (f"{said}. {runs_on}", "Close, Leave It Running, Lose the Text") if held else (said, "Close anyway")
            self.notices.tell(Notice(said, "error", close, self.closeAsked.emit, key="exposed"))
        elif held:
            self.notices.tell(Notice(runs_on, "warning", "Close, Leave It Running", self.closeAsked.emit, key="live"))
        else:
            self.closeAsked.emit()

    def leave(self) -> None:
        """Keep how it stands, let go of the texts and go."""
        self.afterwards.stop()
        strategy, series = self.page.panel.chosen_strategy(), self.page.panel.kept_series()
        self._preferences.now.set(
            replace(
                self.placing.kept(self.tabs.kept(self._preferences.now.value)),
                answers=self.page.panel.answers(),
                geometry=encoded(bytes(self.saveGeometry().data())),
                strategy=str(strategy or ""),
                dataset=series.label if series else "",
            )
        )
        for editor in self.texts.documents.editors:
            editor.close_document()
        try:
            self._desk.documents.save(TABLES, self.page.results.state())
        except DataError as error:
            LOG.warning("how the tables of results stand: %s", error)
        self.market.close()
        self.hide()

    def _take_room(self) -> None:
        """At first, and never more than the screen has."""
        room = self.screen().availableSize()
        self.resize(SIZE.boundedTo(room))
        if SIZE.boundedTo(room) != SIZE:
            self.setWindowState(Qt.WindowState.WindowMaximized)

    def _restore(self, preferences: Preferences) -> None:
        """As it stood; what cannot be used is said, and that part stands as it comes out of the box."""
        (geometry,) = decoded([preferences.geometry])
        if geometry:
            self.restoreGeometry(QByteArray(geometry))
        self.placing.restore(preferences)
        self.page.panel.restore(preferences.answers, preferences.given)
        self.actions_.action("layout.lock").setChecked(preferences.layout_locked)
        self.layouts.lock(preferences.layout_locked)
        nothing: dict[str, Any] = {}
        tables, notices = self._desk.documents.load(TABLES, dict, nothing)
        self.page.results.restore(tables)
        for said in filter(None, (*notices, " ".join(self._preferences.notices))):  # of one file in one notice: the newest stands first
            self.notices.tell(Notice(said, "warning"))

    # How it is put together

    def _centre(self) -> QWidget:
        centre = QWidget()
        centre.setObjectName("centre")
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notices)
        column.addWidget(self.texts.documents, 1)
        return centre

    def _panes(self) -> list[Pane]:
        page, runs = self.page, self.runs
        panes = [
            Pane("navigator", "Navigator", self.texts.navigator),
            Pane("backtest", "Backtest", page.panel),
            Pane("whatIf", "What If", page.what_if),
            Pane("explain", "Explain", page.explanation),
            Pane("results", "Results", page.results),
            Pane("equity", "Equity", page.equity),
            Pane("history", "Runs", runs.history),
            Pane("comparison", "Comparison", runs.comparison),
            Pane("log", "Log", self.log),
            Pane("watchlist", "Watchlist", self.prices.watchlist),
            Pane("alerts", "Alerts", self.prices.alerts),
            Pane("guide", "Guide", self.guide),
        ]
        return [replace(pane, least=LEAST_OF.get(pane.id, LEAST_PANE)) for pane in panes]

    def _commands(self) -> ActionSet:
        actions = ActionSet(self)
        for name, handler in self._handlers().items():
            actions.bind(name, handler)
        actions.require_all()
        for chart in (self.page.chart, self.page.equity):
            actions.add_pane(Scope.CHART, chart)
        actions.add_pane(Scope.NAVIGATOR, self.texts.navigator)
        actions.add_pane(Scope.TABLE, self.runs.history.table.view)
        return actions

    def _handlers(self) -> dict[str, Callable[..., object]]:
        return {
            "file.quit": self.close,
            "run.backtest": self.page.run,
            "run.cancel": self._stop_work,
            "explain.next": partial(self._explain, True),
            "explain.previous": partial(self._explain, False),
            "view.data": self.data.open,
            "live.trade": lambda: self.live.open_with(self.page.panel.chosen_strategy()),
            **self.live.handlers(),
            "view.chart": self.texts.documents.show_chart,
            "view.next_pane": partial(self._go_to_next, forward=True),
            "view.previous_pane": partial(self._go_to_next, forward=False),
            "help.about": self.help.about,
            "help.logs": self.help.open_log_folder,
            "help.data": self.help.open_data_folder,
            "help.diagnostics": self.help.save_diagnostics,
            **self.placing.handlers(),
            **GuideHelp(self.guide, partial(self.layouts.show, "guide")).handlers(),
            **self.tools.handlers(),
            **self.texts.handlers(),
            **self.runs.handlers(),
            **self.market.handlers(),
            **{name: partial(self.layouts.show, pane) for name, pane in VIEWS.items()},
            **{name: partial(self._on_chart, name) for name in self.page.chart.commands()},
        }

    def _on_chart(self, command: str, *_ticked: bool) -> None:
        self._chart_for(command).commands()[command]()
        self._tell_sessions()

    def _tell_sessions(self) -> None:
        """Every chart has its own."""
        chart = self._chart_for("chart.sessions")
        self.actions_.action("chart.sessions").setChecked(isinstance(chart, CandleChart) and chart.has_sessions)

    def _chart_for(self, command: str) -> TimeChart:
        """The chart that has the keyboard, else the one in front."""
        focused = QApplication.focusWidget()
        while focused is not None and not isinstance(focused, TimeChart):
            focused = focused.parentWidget()
        opened = self.texts.documents.current_chart
        return focused if isinstance(focused, TimeChart) and command in focused.commands() else opened.chart if opened else self.page.chart

    def _join(self) -> None:
        research, actions, texts = self.research, self.actions_, self.texts
        self.menus[Menu.CHART].aboutToShow.connect(self._tell_sessions)
        for seen in (research.candlesReady, research.candlesLeft, research.failed):
            seen.connect(self._tell_painted)
        research.candlesReady.connect(lambda _: self._tell_document())
        self.status.workShown.connect(partial(actions.set_state, "job"))
        research.runFinished.connect(self._show_run)
        research.explained.connect(lambda _: self.notices.dismiss("hint click"))
        self.page.refused.connect(lambda: self._bring("backtest"))
        self.page.chart.barChosen.connect(lambda _: self._bring("explain"))
        self.page.chart.stepAsked.connect(lambda: self.layouts.show("backtest"))
        self.page.results.explainAsked.connect(lambda: self._bring("explain"))
        self.page.results.runAsked.connect(self.page.run)
        self.runs.history.runAsked.connect(self.page.run)
        self.runs.comparisonReady.connect(lambda: self._bring("comparison"))
        self.runs.listAsked.connect(lambda: self._bring("history"))
        self.page.panel.strategyChosen.connect(lambda name: actions.set_state("strategy", bool(name)))
        self.layouts.changed.connect(self._show_room)
        self.live.hinted.connect(self.status.show_hint)
        self.live.session.stateChanged.connect(lambda: self.status.show_mode(is_paper=self.live.session.state is not None))
        self.page.what_if.applyAsked.connect(texts.apply)
        texts.documents.opened.connect(self._take_in)
        texts.documents.edited.connect(lambda path: self.page.compare() if path == self.page.panel.chosen_strategy() else None)
        texts.navigator.listed.connect(self.page.look_outside)
        texts.documents.currentChanged.connect(lambda _: self._tell_document())
        texts.navigator.chartWanted.connect(self.market.open_item)
        texts.navigator.listed.connect(self.prices.read_candles)
        texts.navigator.listed.connect(lambda _: self.market.look_again())
        texts.navigator.tradeWanted.connect(self.live.open_with)
        texts.navigator.runTrashWanted.connect(self.runs.throw_away)
        texts.navigator.runFolderWanted.connect(self.runs.show_folder)
        texts.navigator.runNoteWanted.connect(self.runs.write_note)
        self.runs.changed.connect(texts.navigator.refresh)
        texts.documents.saved.connect(lambda _: self.notices.dismiss("exposed"))
        self.market.chartOpened.connect(self._take_in_chart)
        self.prices.attach(self.page.chart)
        self.page.chart.tools.said.connect(self.status.show_hint)
        self.page.panel.changed.connect(lambda: self.prices.use_instruments(self.page.panel.answers()["instruments"]))
        self.page.chart.is_range_linked = True  # with the charts beside it that are
        self.prices.chartAsked.connect(self.market.open_chart)
        self.prices.alertsAsked.connect(lambda: self._bring("alerts"))

    def _show_room(self, name: str) -> None:
        """Some workspaces have a page that stands in front, and goes with them."""
        pages: dict[str, Callable[[], object]] = {"Data": self.data.open, "Live": self.live.open}
        left, self._room = self._room, name
        if name in pages:
            pages[name]()
        elif left in pages:
            self.texts.documents.leave_page()

    def _stop_work(self) -> None:
        """A run before anything else."""
        if self.research.is_running:
            self.research.cancel()
        else:
            self.status.cancel()

    def _explain(self, forward: bool) -> None:
        self.page.step_decision(forward)
        self._bring("explain")

    def _show_run(self, finished: Finished) -> None:
        self.actions_.set_state("run", True)
        self._bring("results")
        self._hint("click", CLICK_A_BAR, "Explain a Decision", partial(self._explain, True))
        if not finished.run_id:
            kept = self._preferences.now.value.answered(answers_of(finished.recipe.as_json()))
            self._preferences.now.set(replace(kept, answers=self.page.panel.answers()))

    def _hint(self, name: str, words: str, action: str, do: Callable[[], object]) -> None:
        """What helps once is not said twice."""
        kept = self._preferences.now.value
        if name not in kept.hints:
            self._preferences.now.set(replace(kept, hints=(*kept.hints, name)))
            self.notices.tell(Notice(words, "note", action, do, key=f"hint {name}"))

    def _bring(self, pane: str) -> None:
        """To the front; the keyboard stays where it is."""
        dock = self.layouts.docks[pane]
        dock.show()
        dock.raise_()

    def _take_in(self, editor: EditorPane) -> None:
        self.actions_.add_pane(Scope.EDITOR, editor)

    def _take_in_chart(self, document: ChartDocument) -> None:
        self.actions_.add_pane(Scope.CHART, document.chart)
        self.prices.attach(document.chart)
        document.chart.tools.said.connect(self.status.show_hint)

    def _tell_document(self) -> None:
        editor = self.texts.documents.current_editor
        documents = self.texts.documents
        self.actions_.set_state("document", editor is not None)
        self.actions_.set_state("tab", documents.currentWidget() is not self.page.chart)
        self.actions_.set_state("chart", documents.current_chart is not None or self._looked_at() is not None)
        self.actions_.set_state("component", isinstance(editor, ComponentEditor))

    def _looked_at(self) -> Series | None:
        """The candles of the first chart, while it is in front."""
        return self.page.panel.shown_series() if self.texts.documents.currentWidget() is self.page.chart else None

    def _text_of(self, path: Path) -> str:
        return self.texts.documents.text_of(path)
