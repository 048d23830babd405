"""The tree of everything there is to open, with a search above it; what is done to files from here says how it went."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import (
    QFileSystemWatcher,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    Qt,
    QThreadPool,
    QTimer,
    QUrl,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.present.actions import BY_ID, Scope
from sptrader_desktop.present.file_names import COMPONENTS
from sptrader_desktop.present.navigator import MIME, Item, Kind, Node, filtered, tree
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.ui import file_actions
from sptrader_desktop.ui.editors.checker import Checker
from sptrader_desktop.ui.key_names import pressed_command, sequences, shown
from sptrader_desktop.ui.theme.icons import icon
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.search_field import SearchField
from sptrader_desktop.ui.widgets.words import tip

WATCH_MS = 250
MOST_NAMED = 3
NODE = Qt.ItemDataRole.UserRole
ICONS = {
    Kind.STRATEGY: "file-text",
    Kind.INDICATOR: "square-function",
    Kind.SIGNAL: "activity",
    Kind.DATASET: "database",
    Kind.RUN: "history",
}
Index = QModelIndex | QPersistentModelIndex


class _Answer(QObject):
    """Carries words from a thread that reads files to the window's."""

    given = Signal(str)


class Navigator(QWidget):
    """`listing` names all there is; it is asked in another thread and must not raise. `folders` are watched for other programs' doings."""

    openWanted = Signal(object)  # an Item
    chartWanted = Signal(object)  # an Item: candles
    tradeWanted = Signal(object)  # the path of a strategy
    runTrashWanted = Signal(list)  # ids of kept runs, which are no files of their own
    runFolderWanted = Signal(str)  # the id of a kept run
    runNoteWanted = Signal(str, str)  # its id, and what it is called from now on
    said = Signal(str)  # what was done
    failed = Signal(str)  # what was not, and why
    listed = Signal(object)  # all Items, listed again

    def __init__(
        self,
        listing: Callable[[], Sequence[Item]],
        folders: Sequence[Path] = (),
        moved: Callable[[Path, Path], object] | None = None,
        refuse: Callable[[Path], object] | None = None,
        zone: Observable[Zone] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("navigator")
        self.setAccessibleName("Navigator")
        self._moved, self._refuse, self._zone = moved, refuse, zone or Observable(Zone.UTC)
        self._items: tuple[Item, ...] = ()
        self._wanted: Path | None = None
        self._is_put_off = False  # what there is was not shown, because a name is being typed
        self._open: set[str] = {kind.value for kind in (Kind.STRATEGY, Kind.DATASET)}
        self.rows = _Rows(self)
        self.rows.renameWanted.connect(self._rename)
        self.view = self._made_view()
        self.search = SearchField("Search by name", "navigatorSearch", self.view, self)
        self.search.textChanged.connect(self._show)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, GRID, GRID, 0)
        column.setSpacing(GRID)
        column.addWidget(self.search)
        column.addWidget(self.view)
        self.setTabOrder(self.search, self.view)
        self._lister: Checker[tuple[set[str], Sequence[Item]]] = Checker(lambda _: (_folders_in(folders), listing()), self)
        self._lister.checked.connect(lambda found: self._take(*found))
        self.destroyed.connect(self._zone.watch(lambda _: self._show()))
        self._watcher = QFileSystemWatcher(self)
        self._noticing = QTimer(self, interval=WATCH_MS, singleShot=True)
        self._noticing.timeout.connect(self.refresh)
        self._watcher.directoryChanged.connect(self._noticing.start)
        self._watcher.fileChanged.connect(self._noticing.start)

    # What is shown

    @property
    def items(self) -> tuple[Item, ...]:
        """All, as they were listed last."""
        return self._items

    def refresh(self) -> None:
        """Ask again what there is; what is open and chosen stays so."""
        self._lister.ask_now("")

    def _take(self, folders: set[str], items: Sequence[Item]) -> None:
        self.show_items(items)
        self._watch(folders)

    def show_items(self, items: Iterable[Item]) -> None:
        before, self._items = self._items, tuple(items)
        if self._items != before or not self.rows.rowCount():
            self._show()
        self.listed.emit(self._items)

    def chosen(self) -> Item | None:
        node = self.rows.node(self.view.currentIndex())
        return node.item if node else None

    def choose(self, key: str) -> bool:
        """The item with that key, its branches opened."""
        index = self.rows.find(key)
        if not index.isValid():
            return False
        self.view.setCurrentIndex(index)
        self.view.scrollTo(index)
        return True

    # What is done

    def commands(self) -> dict[str, Callable[[], object]]:
        """By the ids of the table of actions."""
        return {
            "navigator.open": self.open_chosen,
            "navigator.open_chart": self.open_chosen_as_chart,
            "navigator.trade": self.trade_chosen,
            "navigator.duplicate": self.duplicate_chosen,
            "navigator.rename": lambda: self.view.edit(self.view.currentIndex()),
            "navigator.delete": self.throw_away_chosen,
            "navigator.reveal": self.reveal_chosen,
            "navigator.search": self.search.setFocus,
        }

    def open_chosen(self) -> None:
        item = self.chosen()
        if item is not None:
            self.openWanted.emit(item)
        elif self.view.currentIndex().isValid():
            self.view.setExpanded(self.view.currentIndex(), not self.view.isExpanded(self.view.currentIndex()))

    def trade_chosen(self) -> None:
        item = self.chosen()
        if item is not None and item.kind is Kind.STRATEGY and item.path is not None:
            self.tradeWanted.emit(item.path)

    def open_chosen_as_chart(self) -> None:
        item = self.chosen()
        if item is not None and item.kind is Kind.DATASET:
            self.chartWanted.emit(item)

    def duplicate_chosen(self) -> None:
        def act(item: Item) -> str:
            self._wanted = file_actions.duplicate(item)
            return f"{item.name} was copied as {self._wanted.stem}"

        self._do(act)

    def throw_away_chosen(self) -> None:
        if run := self._chosen_run():
            self.runTrashWanted.emit([run])
            return

        def act(item: Item) -> str:
            file_actions.throw_away(item)
            return f"{item.name} was moved to the trash"

        self._do(act, "what uses it does not run without it")

    def reveal_chosen(self) -> None:
        if run := self._chosen_run():
            self.runFolderWanted.emit(run)
            return

        def act(item: Item) -> str:
            file_actions.reveal(item)
            return ""

        self._do(act)

    def menu_here(self, position: QPoint) -> QMenu | None:
        """Of what is chosen; shown at `position` in the tree."""
        item = self.chosen()
        if item is None:
            return None
        menu, commands = QMenu(self), self.commands()
        menu.setObjectName("navigatorMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        of_data = ("open_chart",) if item.kind is Kind.DATASET else ("trade",) if item.kind is Kind.STRATEGY else ()
        of_kept = ("rename", "reveal", "delete") if item.path or item.kind is Kind.RUN else ()
        of_files = ("duplicate",) if item.path else ()
        for name in ("open", *of_data, *of_files, *of_kept):
            row = BY_ID[f"navigator.{name}"]
            action = menu.addAction(icon(row.icon), f"{row.text}\t{shown(sequences(row.keys)[:1])}", commands[row.id])
            action.setObjectName(row.id)
        menu.popup(self.view.viewport().mapToGlobal(position))
        return menu

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The keys of the table: the same where the window has made actions of it and where it has not."""
        command = self.commands().get(pressed_command(event, Scope.NAVIGATOR))
        if command is None:
            super().keyPressEvent(event)
        else:
            command()

    # Within

    def _chosen_run(self) -> str:
        item = self.chosen()
        return item.key if item is not None and item.kind is Kind.RUN else ""

    def _do(self, act: Callable[[Item], str], for_users: str = "") -> None:
        """With `for_users` what is said names them too."""
        item = self.chosen()
        if item is None:
            return
        try:
            done = act(item)
        except SptraderError as error:
            self.failed.emit(str(error))
            self.refresh()  # half of it may be done
            return
        if done:
            self._tell(done, item, for_users)
            self.refresh()

    def _tell(self, done: str, item: Item, for_users: str) -> None:
        """Who uses a component is read from many files: not on the window's thread."""
        if not for_users or item.kind not in COMPONENTS:
            self.said.emit(done)
            return
        among, answer = self._items, _Answer()
        answer.given.connect(self.said)

        def ask() -> None:
            users = _listed(file_actions.users_of(item, among))
            answer.given.emit(f"{done}: {for_users} ({users})" if users else done)

        QThreadPool.globalInstance().start(ask)

    def _rename(self, item: Item, name: str) -> None:
        if item.kind is Kind.RUN:
            self.runNoteWanted.emit(item.key, name.strip())
            return

        def act(_: Item) -> str:
            self._wanted = file_actions.rename(item, name.strip(), self._moved, self._refuse)
            return f"{item.name} is now called {self._wanted.stem}"

        self._do(act, "write that in what uses it")

    def _show(self) -> None:
        """Rows that go would take a name that is being typed along, and its last letters would be a search: they wait for its end."""
        self._is_put_off = self.view.state() is QAbstractItemView.State.EditingState
        if self._is_put_off:
            return
        chosen = self.rows.node(self.view.currentIndex())
        search = self.search.text()
        if not self.rows.search:
            self._open = self.rows.expanded(self.view) if self.rows.rowCount() else self._open
        self.rows.show(filtered(tree(self._items, self._zone.value), search), search)
        if search.strip():
            self.view.expandAll()
        else:
            self.rows.expand(self.view, self._open)
        wanted = next((item.key for item in self._items if self._wanted is not None and item.path == self._wanted), None)
        if wanted is not None:
            self._wanted = None
            self.choose(wanted)
        elif chosen is not None:
            self.choose(chosen.key)

    def _show_what_waited(self) -> None:
        if self._is_put_off:
            self._show()

    def _watch(self, wanted: set[str]) -> None:
        """What happened in a folder before it was watched is seen by looking again."""
        there = {*self._watcher.directories()}
        new = wanted - there
        if new and len(self._watcher.addPaths([*new])) < len(new):  # those that cannot be watched are told
            self._noticing.start()
        if gone := there - wanted:
            self._watcher.removePaths([*gone])

    def _made_view(self) -> QTreeView:
        view = QTreeView(self)
        view.setObjectName("navigatorTree")
        view.setAccessibleName("Strategies, components, data and runs")
        view.setModel(self.rows)
        view.setHeaderHidden(True)
        view.setUniformRowHeights(True)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setDragEnabled(True)
        view.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        view.setIndentation(look().pixels(4 * GRID))
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self.menu_here)
        view.doubleClicked.connect(self._double_clicked)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        names = _NameAndNote(view)
        names.closeEditor.connect(self._show_what_waited, Qt.ConnectionType.QueuedConnection)
        view.setItemDelegate(names)
        return view

    def _double_clicked(self) -> None:
        if self.chosen() is not None:
            self.open_chosen()


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def dragged_item(data: QMimeData) -> tuple[Kind, str] | None:
    """The kind and key of what was dragged from here."""
    if not data.hasFormat(MIME):
        return None
    kind, _, key = bytes(data.data(MIME).data()).decode().partition("\n")
    return (Kind(kind), key) if kind in {one.value for one in Kind} else None


def _folders_in(folders: Sequence[Path]) -> set[str]:
    found: set[str] = set()
    for folder in folders:
        with suppress(OSError):  # it went meanwhile, and whoever watches what is above it will hear
            found |= {str(inner) for inner in (folder, *folder.rglob("*")) if inner.is_dir()}
    return found


class _Rows(QStandardItemModel):
    """The tree as the view wants it: a name to be edited, a note beside it, and what is dragged away."""

    renameWanted = Signal(object, str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(0, 1, parent)
        self.search = ""

    def show(self, nodes: Sequence[Node], search: str) -> None:
        self.search = search.strip()
        self.removeRows(0, self.rowCount())
        for node in nodes:
            self.appendRow(_row(node))
        if not nodes:
            nothing = QStandardItem(f"Nothing is called “{self.search}”.")
            nothing.setFlags(Qt.ItemFlag.NoItemFlags)
            self.appendRow(nothing)

    def node(self, index: Index) -> Node | None:
        found = self.data(self.index(index.row(), 0, index.parent()), NODE) if index.isValid() else None
        return found if isinstance(found, Node) else None

    def find(self, key: str, parent: Index = QModelIndex()) -> QModelIndex:  # noqa: B008 - a constant
        """By the key of a node or of its item."""
        for row in range(self.rowCount(parent)):
            index = self.index(row, 0, parent)
            node = self.node(index)
            if node is not None and key in {node.key, node.item.key if node.item else node.key}:
                return index
            inner = self.find(key, index)
            if inner.isValid():
                return inner
        return QModelIndex()

    def expanded(self, view: QTreeView, parent: Index = QModelIndex()) -> set[str]:  # noqa: B008 - a constant
        found: set[str] = set()
        for row in range(self.rowCount(parent)):
            index = self.index(row, 0, parent)
            node = self.node(index)
            if node is not None and view.isExpanded(index):
                found.add(node.key)
            found |= self.expanded(view, index)
        return found

    def expand(self, view: QTreeView, keys: set[str]) -> None:
        for key in keys:
            index = self.find(key)
            if index.isValid():
                view.expand(index)

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """A name that was typed is a wish: the row changes when the file has. A run may lose its own."""
        node = self.node(index)
        if role != Qt.ItemDataRole.EditRole or node is None:
            return super().setData(index, value, role)
        name = str(value).strip()
        if node.item is not None and (name or node.kind is Kind.RUN) and name != _own_name(node):
            self.renameWanted.emit(node.item, name)
        return False

    def mimeTypes(self) -> list[str]:
        return [MIME, "text/uri-list"]

    def mimeData(self, indexes: Sequence[Index]) -> QMimeData:
        """Files are files everywhere; inside of the window an item is also its kind and key."""
        data, nodes = QMimeData(), [self.node(index) for index in indexes]
        items = [node.item for node in nodes if node is not None and node.item is not None]
        if items:
            data.setData(MIME, f"{items[0].kind.value}\n{items[0].key}".encode())
            files = [QUrl.fromLocalFile(str(item.path)) for item in dict.fromkeys(items) if item.path is not None]
            if files:
                data.setUrls(files)
        return data


class _NameAndNote(QStyledItemDelegate):
    """The note behind the name, quieter, as far as there is room."""

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        node = index.data(NODE)
        if isinstance(node, Node) and isinstance(editor, QLineEdit):
            editor.setText(_own_name(node))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        super().paint(painter, option, index)
        node = index.data(NODE)
        if not isinstance(node, Node) or not node.note:
            return
        shown = QStyleOptionViewItem(option)
        self.initStyleOption(shown, index)
        place = option.widget.style().subElementRect(QStyle.SubElement.SE_ItemViewItemText, shown, option.widget)
        place.setLeft(place.left() + shown.fontMetrics.horizontalAdvance(node.title) + 4 * GRID)
        place.setRight(option.rect.right() - GRID)
        is_broken = node.item is not None and bool(node.item.fault)
        painter.setPen(look().colour("warning" if is_broken else "muted"))
        painter.setFont(shown.font)
        said = shown.fontMetrics.elidedText(node.note, Qt.TextElideMode.ElideRight, max(place.width(), 0))
        if said != "…":
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, said)


def _own_name(node: Node) -> str:
    """By which it is renamed: candles are called by their symbol, and their file by more than that."""
    item = node.item
    return item.path.stem if item is not None and item.kind is Kind.DATASET and item.path is not None else node.title


def _row(node: Node) -> QStandardItem:
    name, item = QStandardItem(node.title), node.item
    name.setData(node, NODE)
    name.setEditable(item is not None and (item.path is not None or item.kind is Kind.RUN))
    name.setDragEnabled(item is not None)
    name.setToolTip(tip(_tip(node)))
    name.setAccessibleText(f"{node.title}, {node.note}" if node.note else node.title)
    name.setIcon(icon("triangle-alert", "warning") if item and item.fault else icon(ICONS[node.kind], "muted" if item else "accent"))
    for child in node.children:
        name.appendRow(_row(child))
    return name


def _tip(node: Node) -> str:
    item = node.item
    if item is None:
        return "" if node.note[:1].isdigit() else node.note
    return item.fault or "\n".join(filter(None, [node.title, node.note, str(item.path or "")]))
