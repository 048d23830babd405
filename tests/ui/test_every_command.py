"""Every command of the table is given in a real window, by its key or else by its menu entry, and something visible changes."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QDockWidget, QMenu, QToolTip, QWidget

from sptrader_desktop.present.actions import ACTIONS, Action
from sptrader_desktop.present.navigator import Kind
from sptrader_desktop.settings import load_settings
from sptrader_desktop.ui import file_actions
from sptrader_desktop.ui.arrangements import ARRANGEMENTS
from sptrader_desktop.ui.jobs import Job, Report
from sptrader_desktop.ui.main_window import MainWindow
from tests.live_states import Market, ScriptedSession
from tests.ui.windows import Driven, driven_window, fresh_home, work_until_asked

NAME = "given_by_key"


class Stage:
    """The window with a run, a strategy of its own to write in, and somebody in the place of the desktop's file manager."""

    def __init__(self, driven: Driven, strategy: Path) -> None:
        self.driven, self.window, self.strategy = driven, driven.window, strategy
        self.desktop = Desktop()
        self.closings: list[bool] = []
        self.job: Job | None = None

        self.session: ScriptedSession | None = None

    # Places

    def on(self, widget: QWidget) -> None:
        self.window.activateWindow()
        self.driven.until(self.window.isActiveWindow, "the keyboard")
        widget.setFocus()

    def on_window(self) -> None:
        self.window.layouts.show("log")
        self.on(self.window.log)

    def on_other_pane(self) -> None:
        self.window.layouts.show("backtest")
        self.on(self.window.page.panel.strategy)

    def on_chart(self) -> None:
        self.window.texts.documents.show_chart()
        chart = self.window.page.chart
        chart.go_to(int(chart.stamps[len(chart.stamps) // 2]))
        self.on(chart)

    def on_editor(self) -> None:
        editor = self.window.texts.documents.open(self.strategy)
        self.driven.settle()
        editor.edit.moveCursor(editor.edit.textCursor().MoveOperation.Start)
        editor.edit.setFocus()
        self.on(editor.edit)

    def on_component(self) -> None:
        folder = next(folder for folder in self.window._desk.folders() if folder.name == "indicators")
        editor = self.window.texts.documents.open(folder / "trend" / "sma.py")
        self.driven.settle()
        self.on(editor.edit)

    def on_navigator(self, key: str = "") -> None:
        self.window.layouts.show("navigator")
        navigator = self.window.texts.navigator
        navigator.refresh()
        self.driven.settle()
        wanted = key or str(self.strategy)
        assert navigator.choose(wanted), wanted
        self.on(navigator.view)

    def on_dataset(self) -> None:
        item = next(item for item in self.window._desk.items() if item.kind is Kind.DATASET)
        self.on_navigator(item.key)

    def on_dataset_chart(self) -> None:
        document = self.window.market.open_chart(next(iter(self.window.page.panel.series)))
        self.driven.until(lambda: document.chart.candles is not None, "the dataset's candles")
        self.on(document.chart)

    # What is seen

    def pane(self) -> str:
        widget = QApplication.focusWidget()
        while widget is not None and not isinstance(widget, QDockWidget):
            widget = widget.parentWidget()
        return widget.objectName() if widget else ""

    def dialogs(self) -> list[str]:
        return [f"{one.objectName()} {one.windowTitle()}" for one in QApplication.topLevelWidgets() if one.isVisible() and is_passing(one)]

    def focused(self) -> tuple[str, str]:
        widget = QApplication.focusWidget()
        return (type(widget).__name__, widget.objectName() if widget else "")

    def text(self) -> str:
        return str(self.edit.text())

    @property
    def edit(self) -> Any:
        editor = self.window.texts.documents.current_editor
        assert editor
        return editor.edit

    def cursor(self) -> tuple[int, int]:
        return self.edit.textCursor().anchor(), self.edit.textCursor().position()

    def bars(self) -> tuple[float, float]:
        bars = self.window.page.chart.bars
        return bars.first, bars.last

    def bar(self) -> object:
        return self.window.selection.bar.value

    def chart_picture(self) -> Any:
        return self.window.page.chart.grab().toImage()

    def files(self) -> set[str]:
        return {path.name for path in self.strategy.parent.iterdir()}

    def clean_up(self) -> None:
        for dialog in [one for one in QApplication.topLevelWidgets() if one.isVisible() and is_passing(one)]:
            dialog.close()
        QToolTip.hideText()
        chart = self.window.page.chart
        chart.tools.leave()
        chart.go_to_field.leave()
        editor = self.window.texts.documents.current_editor
        if editor is not None:
            editor.find_bar.close_bar()
            editor.line_field.hide()
        if self.session is not None:
            self.session.say(state="stopping")
            self.session.close()
            self.session = None
            self.driven.until(lambda: self.window.live.session.state is None, "the session to be forgotten")
        if self.job is not None:
            self.driven.host.jobs.cancel(self.job)
            self.job = None
        self.driven.settle()


class Desktop(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    @Slot(QUrl)
    def open(self, url: QUrl) -> None:
        self.opened.append(url.toString())


def is_passing(widget: QWidget) -> bool:
    return isinstance(widget, QDialog | QMenu) or bool(widget.windowFlags() & Qt.WindowType.Popup == Qt.WindowType.Popup)


# Places that need a step more


def typed(stage: Stage) -> None:
    stage.on_editor()
    QTest.keyClicks(stage.edit, "# ")


def typed_and_undone(stage: Stage) -> None:
    typed(stage)
    stage.edit.undo()


def searching(stage: Stage) -> None:
    stage.on_editor()
    editor = stage.window.texts.documents.current_editor
    assert editor
    editor.find_bar.open(with_replace=False)
    editor.find_bar.find_field.setText("a")
    stage.on(stage.edit)


def wrong(stage: Stage) -> None:
    """Two problems, and the cursor at neither."""
    stage.on_editor()
    stage.edit.take_text("version: 1\nnonsense: 1\nname: x\nmore_nonsense: 2\n")
    editor = stage.window.texts.documents.current_editor
    assert editor
    editor.check_now()
    stage.driven.until(lambda: len(stage.edit.problems()) > 1, "the problems")
    stage.on(stage.edit)


def zoomed_text(stage: Stage) -> None:
    stage.on_editor()
    stage.edit.set_zoom(3)


def zoomed_chart(stage: Stage) -> None:
    stage.on_chart()
    stage.window.page.chart.zoom(0.5)


def chosen_bar(stage: Stage) -> None:
    stage.on_chart()
    chart = stage.window.page.chart
    chart.choose(len(chart.stamps) // 2)


def drawn(stage: Stage) -> None:
    stage.on_chart()
    stage.window.page.chart.draw_horizontal()


def drawn_and_undone(stage: Stage) -> None:
    drawn(stage)
    stage.window.page.chart.tools.undo_stack.undo()


def drawing(stage: Stage) -> None:
    stage.on_chart()
    stage.window.page.chart.tools.start("trend")
    stage.window.page.chart.press_tool()


def other_style(stage: Stage) -> None:
    stage.on_chart()
    stage.window.page.chart.set_style("bars")


def hidden_pane(stage: Stage) -> None:
    stage.on_window()
    stage.window.layouts.use("Research")
    stage.window.layouts.reset()
    stage.driven.settle()
    stage.window.layouts.docks["equity"].hide()
    stage.driven.until(lambda: not stage.window.layouts._settling.isActive(), "the panes to come to rest")


def shown_again(stage: Stage) -> None:
    hidden_pane(stage)
    stage.window.layouts.undo()


def elsewhere(name: str, stage: Stage) -> None:
    """In another workspace than that."""
    stage.on_window()
    stage.window.layouts.use(next(other for other in ARRANGEMENTS if other != name))


def running(stage: Stage) -> None:
    """A run that goes on until it is stopped."""
    stage.on_window()

    def work(report: Report) -> None:
        work_until_asked(partial(report, 0.5))

    stage.job = stage.window.research._begin(work, "a long run")  # type: ignore[arg-type]  # it never returns a run
    stage.driven.until(lambda: stage.job and stage.job.progress.fraction > 0, "the run to be under way")


def live_session(stage: Stage, **changes: Any) -> None:
    stage.on_window()
    stage.session = ScriptedSession(load_settings().live, Market(datetime.now(UTC)))
    stage.session.say(**changes)
    told = stage.window.live.session
    stage.driven.until(lambda: told.is_attached and told.state and changes.items() <= told.state.items(), "the session")


def paused_session(stage: Stage) -> None:
    live_session(stage, state="paused")


def shut_session(stage: Stage) -> None:
    live_session(stage, gate="shut", gate_why="stopped")


def commanded(stage: Stage) -> object:
    return stage.session and len(stage.session.obeyed)


def behind_the_chart(stage: Stage) -> None:
    stage.on_chart()
    stage.on_navigator()


def copied(stage: Stage) -> None:
    """A strategy that may be thrown away."""
    item = next(item for item in stage.window._desk.items() if item.path == stage.strategy)
    stage.on_navigator(str(file_actions.duplicate(item)))


def on_runs(stage: Stage) -> None:
    """One more run, chosen in the list."""
    stage.window.page.run()
    stage.driven.settle()
    stage.window.layouts.show("history")
    history = stage.window.runs.history
    assert history.chosen
    stage.on(history.table.view)


def runs(stage: Stage) -> int:
    return len(stage.window.runs.history._runs)


def elsewhere_in_the_guide(stage: Stage) -> None:
    stage.window.guide.open_at("exit-codes")
    stage.on_other_pane()


def on_results(stage: Stage) -> None:
    stage.window.layouts.show("results")
    stage.on(stage.window.page.results.tabs)


@dataclass(frozen=True, slots=True)
class Case:
    """Given there, the command changes what `seen` gives."""

    at: Callable[[Stage], object]
    seen: Callable[[Stage], object]


def documents(stage: Stage) -> tuple[int, int]:
    found = stage.window.texts.documents
    return found.count(), found.currentIndex()


def output(stage: Stage) -> str:
    editor: Any = stage.window.texts.documents.current_editor
    return str(editor.output.title.text())


def tip(_stage: Stage) -> str:
    return QToolTip.text()


WINDOW, OTHER, EDITOR, CHART, NAVIGATOR = Stage.on_window, Stage.on_other_pane, Stage.on_editor, Stage.on_chart, Stage.on_navigator
BAR, BARS, DIALOGS, PANE, TEXT, CURSOR = Stage.bar, Stage.bars, Stage.dialogs, Stage.pane, Stage.text, Stage.cursor
PICTURE = Stage.chart_picture
CASES: dict[str, Case] = {
    **{
        name: Case(WINDOW, DIALOGS)
        for name in """file.new_strategy file.new_indicator file.new_signal file.open app.settings layout.export layout.import
        run.export_html run.export_csv run.export_bundle help.about help.diagnostics help.keys""".split()
    },
    **{
        f"view.{name}": Case(OTHER, PANE)
        for name in "navigator what_if explain results equity history compare log watchlist alerts".split()
    },
    "app.palette": Case(WINDOW, Stage.focused),
    "view.backtest": Case(on_results, PANE),
    "view.data": Case(WINDOW, documents),
    "view.live": Case(WINDOW, documents),
    "view.chart": Case(EDITOR, documents),
    "view.next_pane": Case(EDITOR, Stage.focused),
    "view.previous_pane": Case(EDITOR, Stage.focused),
    "file.edit_strategy": Case(CHART, documents),
    "file.close": Case(EDITOR, documents),
    **{f"layout.use_{name.lower()}": Case(partial(elsewhere, name), lambda stage: stage.window.layouts.name) for name in ARRANGEMENTS},
    "layout.lock": Case(WINDOW, lambda stage: stage.window.layouts.docks["log"].features()),
    "layout.reset": Case(hidden_pane, lambda stage: stage.window.layouts.docks["equity"].isHidden()),
    "layout.undo": Case(hidden_pane, lambda stage: stage.window.layouts.docks["equity"].isHidden()),
    "layout.redo": Case(shown_again, lambda stage: stage.window.layouts.docks["equity"].isHidden()),
    "run.backtest": Case(WINDOW, lambda stage: stage.window.research.finished),
    "run.cancel": Case(running, lambda stage: stage.job and stage.job.is_over),
    "explain.next": Case(chosen_bar, BAR),
    "explain.previous": Case(chosen_bar, BAR),
    "live.trade": Case(CHART, documents),
    "live.pause": Case(live_session, commanded),
    "live.resume": Case(paused_session, commanded),
    "live.stop": Case(live_session, Stage.dialogs),
    "live.rearm": Case(shut_session, Stage.dialogs),
    "live.emergency_stop": Case(WINDOW, Stage.dialogs),
    "navigator.trade": Case(behind_the_chart, documents),
    "navigator.open": Case(NAVIGATOR, documents),
    "navigator.open_chart": Case(Stage.on_dataset, documents),
    "navigator.duplicate": Case(NAVIGATOR, Stage.files),
    "navigator.rename": Case(NAVIGATOR, Stage.focused),
    "navigator.delete": Case(copied, Stage.files),
    "navigator.reveal": Case(NAVIGATOR, lambda stage: len(stage.desktop.opened)),
    "runs.note": Case(on_runs, Stage.focused),
    "runs.delete": Case(on_runs, runs),
    "runs.reveal": Case(on_runs, lambda stage: len(stage.desktop.opened)),
    "navigator.search": Case(NAVIGATOR, Stage.focused),
    "component.run": Case(Stage.on_component, output),
    "component.verify": Case(Stage.on_component, output),
    "editor.save": Case(typed, lambda stage: stage.strategy.read_text()),
    "editor.versions": Case(EDITOR, DIALOGS),
    "editor.undo": Case(typed, TEXT),
    "editor.redo": Case(typed_and_undone, TEXT),
    "editor.find": Case(EDITOR, Stage.focused),
    "editor.replace": Case(EDITOR, Stage.focused),
    "editor.find_next": Case(searching, CURSOR),
    "editor.find_previous": Case(searching, CURSOR),
    "editor.go_to_line": Case(EDITOR, Stage.focused),
    "editor.comment": Case(EDITOR, TEXT),
    "editor.complete": Case(EDITOR, lambda stage: stage.edit.completions.isVisible()),
    "editor.next_problem": Case(wrong, CURSOR),
    "editor.previous_problem": Case(wrong, CURSOR),
    "editor.zoom_in": Case(EDITOR, lambda stage: stage.edit.zoom()),
    "editor.zoom_out": Case(EDITOR, lambda stage: stage.edit.zoom()),
    "editor.zoom_reset": Case(zoomed_text, lambda stage: stage.edit.zoom()),
    "editor.help": Case(EDITOR, tip),
    **{f"chart.{name}": Case(CHART, BARS) for name in "bar_left bar_right page_left page_right first last zoom_in zoom_out".split()},
    "chart.reset": Case(zoomed_chart, BARS),
    "chart.go_to": Case(CHART, lambda stage: stage.window.page.chart.go_to_field.isVisible()),
    "chart.choose_left": Case(chosen_bar, BAR),
    "chart.choose_right": Case(chosen_bar, BAR),
    "chart.previous_trade": Case(chosen_bar, BAR),
    "chart.next_trade": Case(chosen_bar, BAR),
    **{f"chart.{name}": Case(other_style, PICTURE) for name in "candles line heikin_ashi".split()},
    **{f"chart.{name}": Case(CHART, PICTURE) for name in "bars log invert sessions".split()},
    "chart.timeframe": Case(Stage.on_dataset_chart, Stage.focused),
    "chart.indicators": Case(Stage.on_dataset_chart, DIALOGS),
    "chart.horizontal_line": Case(CHART, lambda stage: stage.window.page.chart.tools.drawings),
    **dict.fromkeys(("chart.trend_line", "chart.measure"), Case(CHART, lambda stage: stage.window.page.chart.tools.tool)),
    **dict.fromkeys(("chart.press_tool", "chart.price_up", "chart.price_down"), Case(drawing, lambda at: at.window.page.chart.tools.aim)),
    "chart.choose_line": Case(drawn, lambda stage: stage.window.page.chart.tools.words()),
    "chart.delete_drawing": Case(drawn, lambda stage: stage.window.page.chart.tools.drawings),
    "chart.leave": Case(drawing, lambda stage: stage.window.page.chart.tools.tool),
    "chart.undo": Case(drawn, lambda stage: stage.window.page.chart.tools.drawings),
    "chart.redo": Case(drawn_and_undone, lambda stage: stage.window.page.chart.tools.drawings),
    "chart.alert": Case(CHART, lambda stage: [notice.text for notice in stage.window.notices.waiting()]),
    "chart.picture": Case(CHART, DIALOGS),
    "help.here": Case(elsewhere_in_the_guide, lambda stage: stage.window.guide.shown),
    "help.guide": Case(elsewhere_in_the_guide, lambda stage: stage.window.guide.shown),
    "help.logs": Case(WINDOW, lambda stage: len(stage.desktop.opened)),
    "help.data": Case(WINDOW, lambda stage: len(stage.desktop.opened)),
    "file.quit": Case(WINDOW, lambda stage: len(stage.closings)),
}


@pytest.fixture(scope="module")
def stage(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with fresh_home(tmp_path_factory.mktemp("home")), driven_window(qapp) as driven:
        window = driven.window
        driven.until(lambda: window.page.chart.candles is not None, "the sample's candles")
        made = Stage(driven, file_actions.create(Kind.STRATEGY, window._desk.home_of(Kind.STRATEGY), NAME))
        window.closeAsked.disconnect()
        window.closeAsked.connect(lambda: made.closings.append(True))
        QDesktopServices.setUrlHandler("file", made.desktop, "open")  # type: ignore[arg-type] # the stub asks for bytes, the binding for text
        window.page.run()
        driven.until(lambda: window.research.finished, "the run")
        driven.settle()
        yield made
        QDesktopServices.unsetUrlHandler("file")
        window.closeAsked.connect(driven.host.close)


def test_every_command_of_the_table_has_a_case() -> None:
    assert [row.id for row in ACTIONS if row.id not in CASES] == []
    assert set(CASES) <= {row.id for row in ACTIONS}


@pytest.mark.parametrize("row", ACTIONS, ids=lambda row: row.id)
def test_it_is_given_by_key_or_menu_and_something_changes(stage: Stage, row: Action) -> None:
    case = CASES[row.id]
    case.at(stage)
    action = stage.window.actions_.action(row.id)
    assert action.isEnabled(), f"{row.id} is grey in its place"
    before = case.seen(stage)
    if action.shortcut().isEmpty():
        click_in_menu(stage.window, row)
    else:
        QTest.keySequence(QApplication.focusWidget() or stage.window, QKeySequence(action.shortcut()))
    stage.driven.until(lambda: case.seen(stage) != before, f"what {row.id} does")
    assert not stage.driven.host.failures.said.value
    stage.clean_up()
    if row.is_checkable and not row.submenu:
        action.trigger()


def click_in_menu(window: MainWindow, row: Action) -> None:
    assert row.menu, f"{row.id} has neither a key nor a menu"
    bar, menu = window.menuBar(), window.menus[row.menu]
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.actionGeometry(menu.menuAction()).center())
    assert menu.isVisible()
    if row.submenu:
        inner = next(one for one in menu.findChildren(QMenu) if one.title() == row.submenu)
        QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(inner.menuAction()).center())
        menu = inner
    QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(window.actions_.action(row.id)).center())


def test_the_walk_leaves_the_window_alive(stage: Stage) -> None:
    stage.driven.run(asyncio.sleep(0.05))
    assert stage.window.isVisible()
