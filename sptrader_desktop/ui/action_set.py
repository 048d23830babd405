"""The commands of a window as Qt actions, made from the table of actions and bound to what they do."""

from collections.abc import Callable, Iterable, Mapping

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from sptrader_desktop.present.actions import ACTIONS, Action, Menu, Scope
from sptrader_desktop.present.shortcuts import Conflict, Keys, changed, conflicts
from sptrader_desktop.ui.key_names import portable, sequences, shown
from sptrader_desktop.ui.theme.icons import icon


class UnboundActionError(RuntimeError):
    """A row of the table does nothing: bind it, or take it out until it works."""


class ActionSet(QObject):
    """Commands of the window are heard all over `window`; those of a kind of pane where `add_pane` says that such a pane is."""

    shortcutsChanged = Signal()

    def __init__(self, window: QWidget, rows: Iterable[Action] = ACTIONS, shortcuts: Mapping[str, Keys] | None = None) -> None:
        super().__init__(window)
        self.rows = {row.id: row for row in rows}
        self._kept = dict(shortcuts or {})
        self._states: set[str] = set()
        self._handlers: dict[str, Callable[..., object]] = {}
        self._actions = {row.id: self._made(row, window) for row in self.rows.values()}
        self.take_shortcuts(self._kept)

    def _made(self, row: Action, window: QWidget) -> QAction:
        action = QAction(row.text, self)
        action.setObjectName(row.id)
        action.setCheckable(row.is_checkable)
        action.setEnabled(not row.needs)
        action.setIconVisibleInMenu(bool(row.icon))
        if row.icon:
            action.setIcon(icon(row.icon))
        if row.scope is Scope.WINDOW:
            context = Qt.ShortcutContext.ApplicationShortcut if row.is_everywhere else Qt.ShortcutContext.WindowShortcut
            action.setShortcutContext(context)
            window.addAction(action)
        else:
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        return action

    # What they do

    def bind(self, name: str, handler: Callable[..., object]) -> QAction:
        """A command with a tick gives its handler the tick; others give it nothing."""
        if name in self._handlers:
            raise ValueError(f"the action '{name}' is bound already")
        action = self._actions[name]
        self._handlers[name] = handler
        has_tick = self.rows[name].is_checkable

        def do(ticked: bool) -> None:
            handler(ticked) if has_tick else handler()

        action.triggered.connect(do)
        return action

    def require_all(self) -> None:
        """Call when everything is bound: a command that does nothing is not shown to anybody."""
        if unbound := [name for name in self.rows if name not in self._handlers]:
            raise UnboundActionError(f"no handler is bound to {', '.join(unbound)}: bind each, or take its row out of present/actions.py")

    def action(self, name: str) -> QAction:
        return self._actions[name]

    def set_state(self, state: str, is_there: bool) -> None:
        """Commands that need `state`, such as `run`, are greyed while it is not there."""
        (self._states.add if is_there else self._states.discard)(state)
        for row in self.rows.values():
            if row.needs == state:
                self._actions[row.id].setEnabled(is_there)

    def has_state(self, state: str) -> bool:
        return state in self._states

    # Where they are found

    def add_pane(self, scope: Scope, pane: QWidget) -> None:
        """The commands of `scope` are heard while `pane` or a widget in it has the focus."""
        pane.addActions([self._actions[row.id] for row in self.rows.values() if row.scope is scope])

    def of_menu(self, menu: Menu) -> list[QAction]:
        return [self._actions[row.id] for row in self.rows.values() if row.menu is menu]

    def fill_menu_bar(self, bar: QMenuBar) -> dict[Menu, QMenu]:
        """In the order of the table, with a line above each group. A menu without commands is not there."""
        made: dict[Menu, QMenu] = {}
        for menu in Menu:
            actions = self.of_menu(menu)
            if actions:
                made[menu] = bar.addMenu(menu.value)
                made[menu].setObjectName(f"{menu.name.lower()}Menu")
                made[menu].setToolTipsVisible(True)
                self._fill(made[menu], actions)
        return made

    def _fill(self, menu: QMenu, actions: list[QAction]) -> None:
        family, inner = "", dict[str, QMenu]()
        for action in actions:
            row, own = self.rows[action.objectName()], action.objectName().partition(".")[0]
            is_first = bool(row.submenu) and row.submenu not in inner
            target = inner.get(row.submenu, menu)
            if family and (own != family or row.starts_group):
                target.addSeparator()
            if is_first:
                inner[row.submenu] = target = menu.addMenu(row.submenu)
                target.setObjectName(f"{row.submenu.replace('&', '').lower()}Menu")
                target.setToolTipsVisible(True)
            target.addAction(action)
            family = own

    # Keys

    def take_shortcuts(self, chosen: Mapping[str, Keys]) -> None:
        """A person's own keys, by id. Ids that this version does not know are kept for the one that does."""
        self._kept = dict(chosen)
        for row in self.rows.values():
            self._give(row, sequences(chosen.get(row.id, row.keys)))

    def keys(self, name: str) -> Keys:
        return tuple(portable(one) for one in self._actions[name].shortcuts())

    def own_keys(self, name: str) -> Keys:
        """What the table says, on this platform."""
        return tuple(portable(one) for one in sequences(self.rows[name].keys))

    def shortcuts(self) -> dict[str, Keys]:
        """What a person has changed, as `take_shortcuts` takes it."""
        return changed({name: self.keys(name) for name in self.rows}, {name: self.own_keys(name) for name in self.rows}, self._kept)

    def conflicts(self) -> list[Conflict]:
        return list(conflicts({row: self.keys(row.id) for row in self.rows.values()}))

    def conflict_of(self, name: str, keys: Keys) -> Conflict | None:
        """What giving these keys to a command would collide with."""
        asked = {row: keys if row.id == name else self.keys(row.id) for row in self.rows.values()}
        return next((one for one in conflicts(asked) if name in (one.first.id, one.second.id)), None)

    def set_keys(self, name: str, keys: Keys) -> Conflict | None:
        """Changes nothing where the keys mean another command already, and says which."""
        found = sequences(keys)
        conflict = self.conflict_of(name, tuple(portable(one) for one in found))
        if conflict is None:
            self._give(self.rows[name], found)
            self._kept = self.shortcuts()
            self.shortcutsChanged.emit()
        return conflict

    def reset_keys(self) -> None:
        self.take_shortcuts({name: keys for name, keys in self._kept.items() if name not in self.rows})
        self.shortcutsChanged.emit()

    def _give(self, row: Action, found: list[QKeySequence]) -> None:
        action = self._actions[row.id]
        action.setShortcuts(found)
        heading = f"{row.text} ({shown(found)})" if found else row.text
        action.setToolTip(f"{heading}\n{row.tip}" if row.tip else heading)
