"""`make shots`: a picture of every page in both themes at 100 and 150 percent, from the real window without a screen, to be looked at."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from PySide6.QtCore import QPoint
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QDialog, QWidget

import tests.conftest  # noqa: F401  # a home of its own, before anything of ours is loaded
from sptrader_desktop.present.selection import BarAt
from sptrader_desktop.ui.arrangements import ARRANGEMENTS
from sptrader_desktop.ui.command_palette import CommandPalette
from sptrader_desktop.ui.editors.strategy_editor import StrategyEditor
from sptrader_desktop.ui.host import surface
from sptrader_desktop.ui.main_window import MainWindow
from tests.ui.live_shots import live_pages
from tests.ui.windows import Driven, driven_window
from tests.vendor_files import SPRING, market, metatrader_5, written

ROOT = Path(__file__).resolve().parent.parent.parent
SIZES = {"100": (1600, 1000), "150": (1366, 768)}


def take_all(folder: Path) -> None:
    """One process for each, as a scale is chosen before the application is there."""
    for old in folder.glob("*.png"):
        old.unlink()
    for theme in ("dark", "light"):
        for scale in SIZES:
            environment = os.environ | {"QT_SCALE_FACTOR": str(int(scale) / 100), "QT_QPA_PLATFORM": "offscreen"}
            subprocess.run([sys.executable, "-m", "tests.ui.shots", str(folder), theme, scale], cwd=ROOT, env=environment, check=True)
    sys.stdout.write(f"{len(list(folder.glob('*.png')))} pictures are in {folder}\n")


def take(folder: Path, theme: str, scale: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with driven_window(QApplication([])) as driven, surface(driven.host):
        window = driven.window
        preferences = window._preferences.now
        preferences.set(replace(preferences.value, theme=theme))  # type: ignore[arg-type]  # one of the three words
        window.resize(*SIZES[scale])
        driven.until(lambda: window.page.chart.candles is not None, "the candles")
        for number, name in enumerate(pages(driven)):
            driven.settle()
            over = lying_over(window)
            (over[0] if over else window).grab().save(str(folder / f"{number:02d}_{name}_{theme}_{scale}.png"))
            for each in over:
                each.close()


def lying_over(window: MainWindow) -> list[QWidget]:
    popup = QApplication.activePopupWidget()
    dialogs = [dialog for dialog in QApplication.topLevelWidgets() if isinstance(dialog, QDialog) and dialog.isVisible()]
    return [popup] if popup is not None else [*dialogs]


def pages(driven: Driven) -> Iterator[str]:
    """One after another is brought to the window; whoever is given its name takes the picture."""
    window = driven.window
    yield "first"
    yield from empty(window)
    run(driven)
    yield from results(window)
    yield from kept_runs(driven)
    yield from texts(driven)
    yield from candles(driven)
    yield from charts(driven)
    yield from menus(driven)
    yield from workspaces(window)
    tools: dict[str, Callable[[], object]] = {
        "palette": window.tools.open_palette,
        "settings": window.tools.open_settings,
        "keys": window.tools.open_cheat_sheet,
        "about": window.help.about,
    }
    for name, bring in tools.items():
        bring()
        yield name
        put_palette_away(window)
        window.texts.documents.show_chart()
    window.tools.open_palette()
    palette = window.findChild(CommandPalette)
    assert palette is not None, "the palette did not open"
    palette.field.setText("eur")
    yield "palette_typed"
    put_palette_away(window)
    window.tools.open_settings("run.backtest")
    yield "settings_keys"
    driven.host.tell(ValueError("a cell held no number"), "The backtest")
    yield "failure"
    yield from live_pages(driven)


def put_palette_away(window: MainWindow) -> None:
    """It goes with the focus, which a window without a screen never has."""
    if palette := window.findChild(CommandPalette):
        palette.close_palette()


def empty(window: MainWindow) -> Iterator[str]:
    """What each pane says before there is anything in it."""
    for pane in ("whatIf", "explain", "watchlist", "equity", "history", "comparison", "alerts", "log"):
        window.layouts.show(pane)
        yield f"empty_{pane.lower()}"
    window.layouts.reset()


def run(driven: Driven) -> None:
    before = driven.window.research.finished
    driven.window.page.run()
    driven.until(lambda: driven.window.research.finished is not before, "the run")
    driven.settle()


def results(window: MainWindow) -> Iterator[str]:
    finished = window.research.finished
    assert finished is not None, "it was run"
    entry = int(finished.result.outcome.trades["entry_time"][3])
    window.page.chart.go_to(entry)
    window.selection.bar.set(BarAt("EURUSD", entry))
    window._bring("explain")
    tabs = window.page.results.tabs
    for place in range(tabs.count()):
        tabs.setCurrentIndex(place)
        yield f"results_{tabs.tabText(place).lower()}"
    window.layouts.show("whatIf")
    window.layouts.show("equity")
    row = window.page.what_if.rows[0]
    row.slider.setValue(row.slider.value() + 4)
    yield "what_if"


def kept_runs(driven: Driven) -> Iterator[str]:
    window = driven.window
    window.page.panel.set_answer("spread", "1.2")
    run(driven)
    window.layouts.show("history")
    yield "runs"
    window.runs._compare([run.id for run in window._desk.runs.list()][-2:])
    driven.settle()
    yield "comparison"
    window.layouts.show("log")
    yield "log"


def candles(driven: Driven) -> Iterator[str]:
    window = driven.window
    window.kept_market.watchlist.now.set(("EURUSD", "GBPUSD", "USDJPY"))
    page = window.data.open()
    for place in range(page.tabs.count()):
        page.tabs.setCurrentIndex(place)
        yield f"data_{page.tabs.tabText(place).lower()}"
    with tempfile.TemporaryDirectory() as folder:
        page.open_file(written(Path(folder), metatrader_5(market(SPRING), ZoneInfo("Europe/Athens"))))
        yield "data_import_preview"
        broken = Path(folder) / "EURUSD_1h_broken.csv"
        lines = Path(window.page.panel.series[0].path)
        page.examine(next(row for row in page.datasets.rows if row.path == str(lines)))
        yield "data_doctor_report"
        broken.write_text("timestamp,open,high,low,close\n2024-01-02T17:00:00Z,1,2,3,4\n", encoding="utf-8")
        page.open_file(broken)
        yield "data_import_refused"
    window.texts.documents.show_chart()


def charts(driven: Driven) -> Iterator[str]:
    chart = driven.window.market.open_chart(driven.window.page.panel.series[0])
    driven.settle()
    for dotted in ("indicators.trend.sma", "indicators.momentum.rsi", "indicators.trend.macd"):
        chart.add_indicator(dotted)
        driven.settle()
    yield "chart"
    chart._open_form(chart.indicators.slots[1])
    yield "chart_parameters"
    chart.open_indicators()
    yield "chart_indicators"
    driven.window.layouts.use("Market")
    driven.window.prices.alerts.ask("EURUSD", 109_000)
    driven.window.prices.alerts.put()
    yield "chart_market"
    driven.window.layouts.use("Research")


def menus(driven: Driven) -> Iterator[str]:
    window = driven.window
    window.texts.documents.show_chart()
    pane = window.page.chart.panes[0]
    place = QPoint(300, 200)
    QApplication.sendEvent(pane.viewport(), QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, pane.viewport().mapToGlobal(place)))
    yield "menu_chart"
    for of, menu in window.menus.items():
        menu.popup(window.mapToGlobal(QPoint(0, 0)))
        yield f"menu_bar_{of.name.lower()}"
    window.texts.navigator.choose(str(window.page.panel.chosen_strategy()))
    window.texts.navigator.menu_here(QPoint(40, 40))
    yield "menu_navigator"
    window.page.results.tables["trades"]._open_header_menu(5, window.mapToGlobal(QPoint(0, 0)))
    yield "menu_columns"


def workspaces(window: MainWindow) -> Iterator[str]:
    """And the guide, and what is folded away."""
    for name in ARRANGEMENTS:
        window.layouts.use(name)
        yield f"workspace_{name.lower()}"
    window.layouts.use("Research")
    window.guide.open_at("conditions")
    window._bring("guide")
    yield "guide"
    window.page.panel.refuse("--finer-ask x.parquet: there is no such file: choose another")
    window._bring("backtest")
    yield "refused"
    window.page.panel.refuse("")


def texts(driven: Driven) -> Iterator[str]:
    window = driven.window
    window.texts.documents.open(next(path for path in window.page.panel.strategies if path.stem == "ma_crossover"))
    yield "strategy"
    editor = window.texts.documents.current_editor
    assert isinstance(editor, StrategyEditor)
    window.actions_.action("editor.replace").trigger()
    editor.edit.take_text(editor.edit.text().replace("fast_period: 20", "fast_perio: x"))
    driven.until(editor.problems.view.model().rowCount, "the problems")
    yield "strategy_problems"
    editor.edit.undo()
    window.actions_.action("editor.replace").trigger()
    folder = next(folder for folder in window._desk.folders() if folder.name == "indicators")
    window.texts.documents.open(folder / "trend" / "macd.py")
    window.actions_.action("component.run").trigger()
    yield "component"
    window.texts.documents.show_chart()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        take(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
    else:
        take_all(ROOT / ".cache" / "shots")
