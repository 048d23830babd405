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
    Action(
        "editor.save", "Save", Menu.FILE, "save", ("StandardKey.Save",), Scope.EDITOR, "Write the focused document to its file", "document"
    ),
    Action("editor.versions", "Versions…", Menu.FILE, "history", ("Ctrl+Shift+H",), Scope.EDITOR, "What the file was before", "document"),
    Action("editor.undo", "Undo", Menu.EDIT, "undo-2", ("StandardKey.Undo",), Scope.EDITOR, needs="document"),
    Action("editor.redo", "Redo", Menu.EDIT, "redo-2", ("StandardKey.Redo",), Scope.EDITOR, needs="document"),
    Action("editor.find", "Find…", Menu.EDIT, "search", ("StandardKey.Find",), Scope.EDITOR, needs="document"),
    Action("editor.replace", "Replace…", Menu.EDIT, "replace", ("Ctrl+H",), Scope.EDITOR, needs="document"),
    Action("editor.find_next", "Find Next", Menu.EDIT, "arrow-down", ("StandardKey.FindNext",), Scope.EDITOR, needs="document"),
    Action("editor.find_previous", "Find Previous", Menu.EDIT, "arrow-up", ("StandardKey.FindPrevious",), Scope.EDITOR, needs="document"),
    Action("editor.go_to_line", "Go to Line…", Menu.EDIT, "", ("Ctrl+L",), Scope.EDITOR, needs="document"),
    Action("editor.comment", "Comment or Uncomment", Menu.EDIT, "", ("Ctrl+/",), Scope.EDITOR, needs="document"),
    Action("editor.complete", "Complete Word", Menu.EDIT, "", ("Ctrl+Space",), Scope.EDITOR, "What may be written here", "document"),
    Action("editor.next_problem", "Next Problem", Menu.EDIT, "circle-alert", ("F8",), Scope.EDITOR, needs="document"),
    Action("editor.previous_problem", "Previous Problem", Menu.EDIT, "", ("Shift+F8",), Scope.EDITOR, needs="document"),
    Action("editor.zoom_in", "Larger Text", Menu.VIEW, "zoom-in", ("StandardKey.ZoomIn",), Scope.EDITOR, needs="document"),
    Action("editor.zoom_out", "Smaller Text", Menu.VIEW, "zoom-out", ("StandardKey.ZoomOut",), Scope.EDITOR, needs="document"),
    Action("editor.zoom_reset", "Normal Text", Menu.VIEW, "", ("Ctrl+0",), Scope.EDITOR, needs="document"),
    Action(
        "editor.help", "Explain Word", Menu.HELP, "circle-help", ("F1",), Scope.EDITOR, "What the word under the cursor means", "document"
    ),
)

BY_ID = {action.id: action for action in ACTIONS}
