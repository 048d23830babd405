"""The workspaces that come with the window: which panes each shows, where, and how much room a pane needs wherever it stands."""

from PySide6.QtCore import QSize, Qt

from sptrader_desktop.ui.dock_layout import Arrangement, Stack
from sptrader_desktop.ui.theme.tokens import GRID

LEFT, RIGHT, BOTTOM = (
    Qt.DockWidgetArea.LeftDockWidgetArea,
    Qt.DockWidgetArea.RightDockWidgetArea,
    Qt.DockWidgetArea.BottomDockWidgetArea,
)
LEAST = QSize(GRID * 45, GRID * 30)
# Where no width is said the pane knows it from what is in it.
LEAST_OF = {"backtest": QSize(0, GRID * 50), "whatIf": QSize(0, GRID * 30)}
ARRANGEMENTS: dict[str, Arrangement] = {
    "Research": (
        Stack(LEFT, GRID * 60, ("navigator", "watchlist")),
        Stack(RIGHT, GRID * 76, ("backtest", "whatIf", "explain")),
        Stack(BOTTOM, GRID * 64, ("results", "equity", "history", "comparison", "alerts", "log", "guide")),
    ),
    "Review": (
        Stack(RIGHT, GRID * 90, ("explain", "backtest", "whatIf")),
        Stack(BOTTOM, GRID * 110, ("results", "equity", "history", "comparison"), 0.6),
    ),
    "Writing": (
        Stack(LEFT, GRID * 60, ("navigator",)),
        Stack(BOTTOM, GRID * 40, ("log", "results", "guide")),
    ),
    "Market": (
        Stack(LEFT, GRID * 60, ("navigator",)),
        Stack(RIGHT, GRID * 110, ("watchlist",)),
        Stack(BOTTOM, GRID * 56, ("alerts", "log")),
    ),
    "Data": (
        Stack(LEFT, GRID * 60, ("navigator",)),
        Stack(BOTTOM, GRID * 40, ("log", "guide")),
    ),
    "Live": (),
}
# The command that shows each pane.
VIEWS = {
    "view.navigator": "navigator",
    "view.backtest": "backtest",
    "view.what_if": "whatIf",
    "view.explain": "explain",
    "view.results": "results",
    "view.equity": "equity",
    "view.history": "history",
    "view.compare": "comparison",
    "view.log": "log",
    "view.watchlist": "watchlist",
    "view.alerts": "alerts",
}
