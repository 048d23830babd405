"""From the command to the window that a person sees, in the order that makes it quick: first what is painted, then the engine."""

from pathlib import Path

from sptrader_desktop import compose_components
from sptrader_desktop.app.desk import WindowDesk
from sptrader_desktop.settings import Settings, load_settings
from sptrader_desktop.ui.desk import Series
from sptrader_desktop.ui.host import Host, run_window
from sptrader_desktop.ui.main_window import MainWindow
from sptrader_desktop.ui.theme.theme import Theme

SAMPLE_STRATEGY = "ma_crossover"


def open_workstation() -> int:
    settings = load_settings()
    return run_window(lambda host: open_window(host, settings))


def open_window(host: Host, settings: Settings) -> MainWindow:
    theme = Theme(host.app)
    desk = WindowDesk(settings)
    window = MainWindow(desk, host)
    theme.setParent(window)
    strategy, series = _first_choice(desk)
    window.offer(strategy, series)
    window.closeAsked.connect(host.close)
    host.shutdown.add("window", window.hide)
    window.show()
    workers = compose_components.window_workers(settings, host.loop)
    host.shutdown.add("components", workers.aclose)
    host.jobs.start("warm-up", "getting the engine ready", lambda _: desk.warm_up())
    return window


def _first_choice(desk: WindowDesk) -> tuple[Path | None, Series | None]:
    strategies, series = desk.strategies(), desk.series()
    strategy = next((path for path in strategies if path.stem == SAMPLE_STRATEGY), None)
    return strategy or next(iter(strategies), None), next(iter(series), None)
