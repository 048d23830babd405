"""Every command a person can give, as one table: menus, toolbar, palette, cheat sheet and the tests that click them are made from it.

A row says what the command is; what it does is bound to its id in the window, and a row without a handler fails the window's start.
"""

from dataclasses import dataclass
from enum import Enum


class Scope(Enum):
    """Where a shortcut is heard: anywhere in the window, or only while that kind of pane has the focus."""

    WINDOW = "window"
    CHART = "chart"
    EDITOR = "editor"
    TABLE = "table"


class Menu(Enum):
    FILE = "&File"
    EDIT = "&Edit"
    VIEW = "&View"
    RUN = "&Run"
    CHART = "&Chart"
    HELP = "&Help"


@dataclass(frozen=True, slots=True)
class Action:
    """`keys` are in Qt's portable spelling ("Ctrl+K"), or the name of a platform's standard key ("StandardKey.Save")."""

    id: str
    text: str
    menu: Menu | None
    icon: str = ""
    keys: tuple[str, ...] = ()
    scope: Scope = Scope.WINDOW
    tip: str = ""
    needs: str = ""  # the name of a state of the window without which the command is greyed, such as "run" or "strategy"
    is_checkable: bool = False


ACTIONS: tuple[Action, ...] = (
    Action("run.backtest", "Run Backtest", Menu.RUN, "play", ("F5",), tip="Run the strategy over the chosen candles", needs="strategy"),
    Action("run.cancel", "Cancel", Menu.RUN, "x", ("Ctrl+.",), tip="Stop what is running; what is done is kept", needs="job"),
)

BY_ID = {action.id: action for action in ACTIONS}
