"""`make shots`: a picture of every page in both themes at 100 and 150 percent, from the real window without a screen, to be looked at."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QApplication, QDialog

import tests.conftest  # noqa: F401  # a home of its own, before anything of ours is loaded
from sptrader_desktop.present.selection import BarAt
from sptrader_desktop.ui.arrangements import ARRANGEMENTS
from sptrader_desktop.ui.main_window import MainWindow
from tests.ui.windows import Driven, driven_window

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
    with driven_window(QApplication([])) as driven:
        window = driven.window
        preferences = window._preferences.now
        preferences.set(replace(preferences.value, theme=theme))  # type: ignore[arg-type]  # one of the three words
        window.resize(*SIZES[scale])
        driven.until(lambda: window.page.chart.candles is not None, "the candles")
        for number, name in enumerate(pages(driven)):
            driven.settle()
            dialogs = [dialog for dialog in window.findChildren(QDialog) if dialog.isVisible()]
            (dialogs[0] if dialogs else window).grab().save(str(folder / f"{number:02d}_{name}_{theme}_{scale}.png"))
            for dialog in dialogs:
                dialog.close()


def pages(driven: Driven) -> Iterator[str]:
    """One after another is brought to the window; whoever is given its name takes the picture."""
    window = driven.window
    yield "first"
    run(driven)
    yield from results(window)
    yield from kept_runs(driven)
    yield from texts(window)
    yield from candles(window)
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
        window.texts.documents.show_chart()


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


def candles(window: MainWindow) -> Iterator[str]:
    window.kept_market.watchlist.now.set(("EURUSD", "GBPUSD", "USDJPY"))
    window.market.open_chart(window.page.panel.series[0])
    tabs = window.data.open().tabs
    for place in range(tabs.count()):
        tabs.setCurrentIndex(place)
        yield f"data_{tabs.tabText(place).lower()}"
    window.texts.documents.show_chart()


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


def texts(window: MainWindow) -> Iterator[str]:
    window.texts.documents.open(next(path for path in window.page.panel.strategies if path.stem == "ma_crossover"))
    yield "strategy"
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
