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
    NAVIGATOR = "navigator"


class Menu(Enum):
    """Their letters leave Alt+R and Alt+H to charts: two meanings of one key are none."""

    FILE = "&File"
    EDIT = "&Edit"
    VIEW = "&View"
    RUN = "Ru&n"
    CHART = "&Chart"
    HELP = "Hel&p"


MOVES, STYLES, TEXT = "&Go", "&Style", "&Text Size"
ROOMS = "&Workspaces"


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
    starts_group: bool = False  # a line stands above it in its menu, as it does wherever the first word of the ids changes
    is_everywhere: bool = False  # heard in dialogs and in panes that float, too
    submenu: str = ""  # the heading inside the menu under which it stands, with all others of that heading


ACTIONS: tuple[Action, ...] = (
    Action("file.new_strategy", "New Strategy…", Menu.FILE, "file-plus", ("StandardKey.New",), tip="From a template that runs as it is"),
    Action("file.new_indicator", "New Indicator…", Menu.FILE, "square-function", tip="From a template that runs as it is"),
    Action("file.new_signal", "New Signal…", Menu.FILE, "activity", tip="From a template that runs as it is"),
    Action(
        "file.open",
        "Open…",
        Menu.FILE,
        "folder-open",
        ("StandardKey.Open",),
        tip="A strategy or a component, to read and change",
        starts_group=True,
    ),
    Action(
        "file.edit_strategy", "Edit the Strategy", Menu.FILE, "pen-line", ("Ctrl+E",), tip="The text of the chosen one", needs="strategy"
    ),
    Action("file.close", "Close the Tab", Menu.FILE, "x", ("StandardKey.Close",), tip="What is not saved comes back with it", needs="tab"),
    Action("app.palette", "Command Palette…", Menu.VIEW, "command", ("Ctrl+K",), tip="Every command, a few letters away"),
    Action("view.navigator", "Navigator", Menu.VIEW, "panel-left", ("Ctrl+1",), tip="Show the pane and go to it"),
    Action("view.backtest", "Backtest", Menu.VIEW, "sliders-horizontal", ("Ctrl+2",), tip="Show the pane and go to it"),
    Action("view.what_if", "What If", Menu.VIEW, "flask-conical", ("Ctrl+3",), tip="Show the pane and go to it"),
    Action("view.explain", "Explain", Menu.VIEW, "lightbulb", ("Ctrl+4",), tip="Show the pane and go to it"),
    Action("view.results", "Results", Menu.VIEW, "table-2", ("Ctrl+5",), tip="Show the pane and go to it"),
    Action("view.equity", "Equity", Menu.VIEW, "trending-up", ("Ctrl+6",), tip="Show the pane and go to it"),
    Action("view.history", "Run History", Menu.VIEW, "history", ("Ctrl+7",), tip="Show the pane and go to it"),
    Action("view.compare", "Comparison", Menu.VIEW, "git-compare", ("Ctrl+8",), tip="Show the pane and go to it"),
    Action("view.log", "Log", Menu.VIEW, "scroll-text", ("Ctrl+9",), tip="Show the pane and go to it"),
    Action("view.data", "Data", Menu.VIEW, "database", ("Ctrl+Shift+D",), tip="Import, examine, mend, download and keep candles"),
    Action("view.live", "Live Trading", Menu.VIEW, "activity", ("Ctrl+Shift+L",), tip="Start, watch, command and stop a live session"),
    Action("view.watchlist", "Watchlist", Menu.VIEW, "eye", ("Ctrl+Shift+1",), tip="Show the pane and go to it"),
    Action("view.alerts", "Alerts", Menu.VIEW, "bell", ("Ctrl+Shift+2",), tip="Show the pane and go to it"),
    Action("view.chart", "Chart", Menu.VIEW, "chart-candlestick", ("Ctrl+0",), tip="Go to the chart"),
    Action("view.next_pane", "Next Pane", Menu.VIEW, "", ("F6",), tip="The keyboard goes to the pane beside", starts_group=True),
    Action("view.previous_pane", "Previous Pane", Menu.VIEW, "", ("Shift+F6",), tip="The keyboard goes back a pane"),
    Action("layout.use_research", "Research", Menu.VIEW, "", ("Ctrl+Alt+1",), tip="Chart in front", is_checkable=True, submenu=ROOMS),
    Action("layout.use_review", "Review", Menu.VIEW, "", ("Ctrl+Alt+2",), tip="The results in front", is_checkable=True, submenu=ROOMS),
    Action("layout.use_writing", "Writing", Menu.VIEW, "", ("Ctrl+Alt+3",), tip="Room for text", is_checkable=True, submenu=ROOMS),
    Action("layout.use_market", "Market", Menu.VIEW, "", ("Ctrl+Alt+4",), tip="Charts and prices", is_checkable=True, submenu=ROOMS),
    Action("layout.use_data", "Data", Menu.VIEW, "", ("Ctrl+Alt+5",), tip="The Data page in front", is_checkable=True, submenu=ROOMS),
    Action("layout.use_live", "Live", Menu.VIEW, "", ("Ctrl+Alt+6",), tip="Live trading in front", is_checkable=True, submenu=ROOMS),
    Action("layout.export", "Export This Workspace…", Menu.VIEW, tip="As a file, to give away", submenu=ROOMS, starts_group=True),
    Action("layout.import", "Import a Workspace…", Menu.VIEW, tip="Panes as a file says", submenu=ROOMS),
    Action("layout.lock", "Lock the Panes", Menu.VIEW, "lock", is_checkable=True, tip="Panes cannot be dragged away by accident"),
    Action("layout.reset", "Reset the Panes", Menu.VIEW, "layout-dashboard", tip="Every pane where it stood at first"),
    Action("layout.undo", "Undo Layout", Menu.VIEW, "undo-2", ("Ctrl+Alt+Z",), tip="As the panes stood before", needs="layout_before"),
    Action(
        "layout.redo", "Redo Layout", Menu.VIEW, "redo-2", ("Ctrl+Alt+Shift+Z",), tip="What was undone of the panes", needs="layout_after"
    ),
    # Needs nothing: where nothing can be run it says what is missing.
    Action("run.backtest", "Run Backtest", Menu.RUN, "play", ("F5",), tip="Run the strategy over the chosen candles"),
    Action("run.cancel", "Cancel", Menu.RUN, "x", ("Ctrl+.",), tip="Stop what is running; what is done is kept", needs="job"),
    Action("explain.next", "Explain Next Decision", Menu.RUN, "lightbulb", ("F7",), tip="The next bar where a rule held", needs="run"),
    Action("explain.previous", "Explain Previous Decision", Menu.RUN, "", ("Shift+F7",), tip="The one before", needs="run"),
    Action("live.trade", "Trade This Strategy Live…", Menu.RUN, "activity", tip="With the one that is chosen to be run", needs="strategy"),
    Action("live.pause", "Pause Live Trading", Menu.RUN, "pause", ("Ctrl+Shift+P",), tip="Open nothing new", needs="live session"),
    Action("live.resume", "Resume Live Trading", Menu.RUN, "play", ("Ctrl+Shift+U",), tip="End the pause", needs="live session"),
    Action("live.stop", "End the Live Session…", Menu.RUN, "", tip="Open positions stay, or are closed first", needs="live session"),
    Action("live.rearm", "Re-arm…", Menu.RUN, "shield-check", tip="Let orders pass again after a stop", needs="live stop"),
    Action(
        "live.emergency_stop",
        "Emergency Stop…",
        Menu.RUN,
        "octagon-x",
        ("Ctrl+Shift+X",),
        tip="No order leaves any more; pressed twice it stops and keeps positions",
        starts_group=True,
        is_everywhere=True,
    ),
    Action("navigator.open", "Open", None, "folder-open", ("Return", "Enter"), Scope.NAVIGATOR),
    Action("navigator.open_chart", "Open as Chart", None, "chart-candlestick", ("Shift+Return",), Scope.NAVIGATOR),
    Action("navigator.trade", "Trade Live…", None, "activity", ("Ctrl+Shift+T",), Scope.NAVIGATOR),
    Action("navigator.duplicate", "Duplicate", None, "copy", ("Ctrl+D",), Scope.NAVIGATOR),
    Action("navigator.rename", "Rename", None, "pencil", ("F2",), Scope.NAVIGATOR),
    Action("navigator.delete", "Move to Trash", None, "trash-2", ("Del",), Scope.NAVIGATOR),
    Action("navigator.reveal", "Show in Folder", None, "external-link", ("Ctrl+Shift+R",), Scope.NAVIGATOR),
    Action("runs.note", "Write a Note on the Run", None, "pencil", ("F2",), Scope.TABLE, "By which the navigator calls the run"),
    Action("runs.delete", "Move Runs to Trash", None, "trash-2", ("Del",), Scope.TABLE, "The chosen kept runs"),
    Action("runs.reveal", "Show Run in Folder", None, "external-link", ("Ctrl+Shift+R",), Scope.TABLE, "Of the chosen kept run"),
    Action("navigator.search", "Search", None, "search", ("Ctrl+F", "/"), Scope.NAVIGATOR),
    Action(
        "component.run",
        "Run on This Data",
        Menu.RUN,
        "play",
        ("Ctrl+Return",),
        Scope.EDITOR,
        "Compute the component that is open",
        "component",
    ),
    Action(
        "component.verify",
        "Check for Look-Ahead",
        Menu.RUN,
        "shield-check",
        ("Ctrl+Shift+Return",),
        Scope.EDITOR,
        "Does the component see the future, or forget what it needs?",
        "component",
    ),
    Action(
        "editor.save", "Save", Menu.FILE, "save", ("StandardKey.Save",), Scope.EDITOR, "Write the focused document to its file", "document"
    ),
    Action("editor.versions", "Versions…", Menu.FILE, "history", ("Ctrl+Shift+H",), Scope.EDITOR, "What the file was before", "document"),
    Action("app.settings", "Settings…", Menu.FILE, "settings", ("StandardKey.Preferences", "Ctrl+,"), tip="Look, size, clock and keys"),
    Action("file.quit", "Quit", Menu.FILE, "log-out", ("StandardKey.Quit",), tip="What still runs is stopped first"),
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
    Action("editor.zoom_in", "Larger Text", Menu.VIEW, "zoom-in", ("StandardKey.ZoomIn",), Scope.EDITOR, needs="document", submenu=TEXT),
    Action(
        "editor.zoom_out", "Smaller Text", Menu.VIEW, "zoom-out", ("StandardKey.ZoomOut",), Scope.EDITOR, needs="document", submenu=TEXT
    ),
    Action("editor.zoom_reset", "Normal Text", Menu.VIEW, "", ("Ctrl+Alt+0",), Scope.EDITOR, needs="document", submenu=TEXT),
    Action(
        "editor.help",
        "Explain Word",
        Menu.HELP,
        "circle-help",
        ("Shift+F1",),
        Scope.EDITOR,
        "What the word under the cursor means",
        "document",
    ),
    Action("chart.bar_left", "One Bar Back", Menu.CHART, "chevron-left", ("Left",), Scope.CHART, submenu=MOVES),
    Action("chart.bar_right", "One Bar Forward", Menu.CHART, "chevron-right", ("Right",), Scope.CHART, submenu=MOVES),
    Action("chart.page_left", "One Page Back", Menu.CHART, "chevrons-left", ("PgUp",), Scope.CHART, submenu=MOVES),
    Action("chart.page_right", "One Page Forward", Menu.CHART, "chevrons-right", ("PgDown",), Scope.CHART, submenu=MOVES),
    Action("chart.first", "First Bar", Menu.CHART, "skip-back", ("Home",), Scope.CHART, submenu=MOVES),
    Action("chart.last", "Newest Bar", Menu.CHART, "skip-forward", ("End",), Scope.CHART, submenu=MOVES),
    Action("chart.zoom_in", "Zoom In", Menu.CHART, "zoom-in", ("Ctrl+Up", "+"), Scope.CHART, starts_group=True),
    Action("chart.zoom_out", "Zoom Out", Menu.CHART, "zoom-out", ("Ctrl+Down", "-"), Scope.CHART),
    Action("chart.reset", "Reset the View", Menu.CHART, "rotate-ccw", ("Alt+R",), Scope.CHART, tip="The newest bars, every scale fitting"),
    Action("chart.go_to", "Go to Date…", Menu.CHART, "calendar", ("Alt+G",), Scope.CHART, starts_group=True),
    Action("chart.choose_left", "Choose the Bar Before", Menu.CHART, "", ("Shift+Left",), Scope.CHART, starts_group=True, submenu=MOVES),
    Action("chart.choose_right", "Choose the Next Bar", Menu.CHART, "", ("Shift+Right",), Scope.CHART, submenu=MOVES),
    Action(
        "chart.previous_trade",
        "Previous Trade",
        Menu.CHART,
        "arrow-left",
        ("Alt+Left",),
        Scope.CHART,
        needs="run",
        starts_group=True,
        submenu=MOVES,
    ),
    Action("chart.next_trade", "Next Trade", Menu.CHART, "arrow-right", ("Alt+Right",), Scope.CHART, needs="run", submenu=MOVES),
    Action("chart.candles", "Candles", Menu.CHART, "chart-candlestick", ("Alt+1",), Scope.CHART, starts_group=True, submenu=STYLES),
    Action("chart.bars", "Bars", Menu.CHART, "chart-no-axes-column", ("Alt+2",), Scope.CHART, submenu=STYLES),
    Action("chart.line", "Line", Menu.CHART, "chart-line", ("Alt+3",), Scope.CHART, submenu=STYLES),
    Action("chart.heikin_ashi", "Heikin-Ashi", Menu.CHART, "chart-candlestick", ("Alt+4",), Scope.CHART, submenu=STYLES),
    Action(
        "chart.timeframe",
        "Timeframe…",
        Menu.CHART,
        "clock",
        (",",),
        Scope.CHART,
        "Longer bars of the same candles",
        "chart",
        starts_group=True,
    ),
    Action("chart.indicators", "Add Indicator…", Menu.CHART, "square-function", ("/",), Scope.CHART, "Found by name", "chart"),
    Action("chart.log", "Logarithmic Scale", Menu.CHART, "", ("Alt+L",), Scope.CHART, starts_group=True),
    Action("chart.invert", "Inverted Scale", Menu.CHART, "flip-vertical", ("Alt+I",), Scope.CHART),
    Action(
        "chart.sessions",
        "Trading Sessions",
        Menu.CHART,
        "clock",
        ("Alt+X",),
        Scope.CHART,
        tip="When Sydney, Tokyo, London and New York trade",
        is_checkable=True,
    ),
    Action(
        "chart.horizontal_line",
        "Horizontal Line",
        Menu.CHART,
        "minus",
        ("Alt+H",),
        Scope.CHART,
        tip="At the price under the pointer",
        starts_group=True,
    ),
    Action("chart.alert", "Price Alert", Menu.CHART, "bell-ring", ("Alt+A",), Scope.CHART, tip="At the price under the pointer"),
    Action(
        "chart.trend_line",
        "Trend Line",
        Menu.CHART,
        "trending-up",
        ("Alt+T",),
        Scope.CHART,
        tip="Drag, or Enter at its one end and its other",
    ),
    Action("chart.measure", "Measure", Menu.CHART, "ruler", ("Alt+M",), Scope.CHART, tip="Drag, or Enter at both ends; or Shift and drag"),
    Action("chart.press_tool", "Begin or End a Line or the Ruler", None, "", ("Return", "Enter"), Scope.CHART),
    Action("chart.choose_line", "Choose a Drawn Line", Menu.CHART, "", ("Alt+D",), Scope.CHART, tip="The newest one, then those before"),
    Action("chart.price_up", "Move Its End or the Chosen Line Up", None, "", ("Shift+Up",), Scope.CHART),
    Action("chart.price_down", "Move Its End or the Chosen Line Down", None, "", ("Shift+Down",), Scope.CHART),
    Action("chart.delete_drawing", "Delete the Chosen Line", Menu.CHART, "trash-2", ("Del", "Backspace"), Scope.CHART),
    Action("chart.leave", "Leave the Drawing", None, "", ("Esc",), Scope.CHART),
    Action("chart.undo", "Undo Drawing", None, "undo-2", ("StandardKey.Undo",), Scope.CHART),
    Action("chart.redo", "Redo Drawing", None, "redo-2", ("StandardKey.Redo",), Scope.CHART),
    Action("chart.picture", "Save Picture…", Menu.CHART, "image-down", ("Alt+S",), Scope.CHART, starts_group=True),
    Action(
        "run.export_html", "Export Report…", Menu.RUN, "file-down", ("Ctrl+Shift+E",), tip="One page that needs nothing else", needs="run"
    ),
    Action("run.export_csv", "Export Trades…", Menu.RUN, "table-2", tip="As CSV, with exact values", needs="run"),
    Action("run.export_bundle", "Export Bundle…", Menu.RUN, "package", tip="What `sptrader verify` runs again", needs="run"),
    Action("help.here", "Help on This", Menu.HELP, "circle-help", ("F1",), tip="The page of the guide about what has the keyboard"),
    Action("help.guide", "Guide", Menu.HELP, "book-open", tip="Everything to read, offline"),
    Action("help.about", "About SPtrader", Menu.HELP, "info", tip="Versions and licences"),
    Action("help.logs", "Open Log Folder", Menu.HELP, "folder", tip="In the file manager"),
    Action("help.data", "Open Data Folder", Menu.HELP, "hard-drive", tip="In the file manager"),
    Action("help.diagnostics", "Save Diagnostics…", Menu.HELP, "bug", tip="For somebody who helps: no candles, strategies or secrets"),
    Action("help.keys", "Keyboard Shortcuts", Menu.HELP, "keyboard", ("Ctrl+F1",), tip="All commands and their keys"),
)

BY_ID = {action.id: action for action in ACTIONS}
