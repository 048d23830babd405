"""Where the panes stand: arrangements are kept, locked, reset, undone and redone, and heal when broken or when a screen is gone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from PySide6.QtCore import QByteArray, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar, QTabWidget, QWidget

# Raised when panes come or go in a way that an older arrangement cannot know.
VERSION = 1
MOST_UNDONE = 30
SETTLED_MS = 150  # a pane that is dragged comes to rest

LOCKED = QDockWidget.DockWidgetFeature.DockWidgetClosable
FREE = LOCKED | QDockWidget.DockWidgetFeature.DockWidgetMovable | QDockWidget.DockWidgetFeature.DockWidgetFloatable


@dataclass(frozen=True, slots=True)
class Pane:
    """`id` is the dock's object name, under which an arrangement finds it again."""

    id: str
    title: str
    widget: QWidget
    least: QSize = field(default_factory=QSize)  # it is never smaller


@dataclass(frozen=True, slots=True)
class Stack:
    """Panes that share one place as tabs, the first in front; `size` is the width, or at the bottom the height, it asks for.

    At the bottom it takes no more than `share` of a low window.
    """

    area: Qt.DockWidgetArea
    size: int
    panes: tuple[str, ...]
    share: float = 0.33


Arrangement = Sequence[Stack]


class DockLayout(QObject):
    changed = Signal(str)  # the arrangement's name
    undoable = Signal(bool)
    redoable = Signal(bool)

    def __init__(self, window: QMainWindow, panes: Sequence[Pane], arrangements: Mapping[str, Arrangement]) -> None:
        super().__init__(window)
        self._window, self._arrangements = window, arrangements
        self._kept: dict[str, bytes] = {}
        self._before: list[tuple[str, bytes]] = []  # to go back to, the newest last
        self._after: list[tuple[str, bytes]] = []  # what was undone, the last undone last
        self._settled: tuple[str, object, bytes] | None = None  # name, which pane is where, and the state
        self._settling = QTimer(self, singleShot=True, interval=SETTLED_MS)
        self._settling.timeout.connect(self._settle)
        self.name = next(iter(arrangements))
        self.docks = {pane.id: self._dock(pane) for pane in panes}
        options = QMainWindow.DockOption
        window.setDockOptions(options.AllowTabbedDocks | options.AllowNestedDocks | options.GroupedDragging)
        # What stands at the sides is as tall as the window.
        window.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea)
        window.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self._stand_as_at_first()
        self._known()

    def use(self, name: str) -> None:
        """Go to another arrangement; how this one stands is kept."""
        if name != self.name:
            self._remember()
            self._kept[self.name] = self.state()
            self.name = name
            kept = self._kept.get(name)
            if kept is None or not self._restored(kept):
                self._stand_as_at_first()
        self._known()

    def put(self, name: str, state: bytes) -> bool:
        """Go to an arrangement as `state` says. False: it cannot be used, and everything stands as it stood."""
        before = self.state()
        if not self._restored(state):
            self._restored(before)
            return False
        self._kept[self.name] = before
        self._remember((self.name, before))
        self.name = name
        self._known()
        return True

    def reset(self) -> None:
        self._remember()
        self._stand_as_at_first()
        self._known()

    def undo(self) -> None:
        """As the panes stood before they were last moved, closed, reset or exchanged."""
        self._settle()
        self._step(self._before, self._after)

    def redo(self) -> None:
        """As they stood before that was undone."""
        self._settle()
        self._step(self._after, self._before)

    def _step(self, taken: list[tuple[str, bytes]], given: list[tuple[str, bytes]]) -> None:
        if not taken:
            return
        given.append((self.name, self.state()))
        name, state = taken.pop()
        if name != self.name:
            self._kept[self.name] = self.state()
            self.name = name
        self._restored(state)
        self._known()

    def _stand_as_at_first(self) -> None:
        for dock in self.docks.values():
            dock.setFloating(False)
            dock.hide()
        for stack in self._arrangements[self.name]:
            self._stack(stack)
        self._head_all()
        self._give_sizes()
        QTimer.singleShot(0, self, self._give_sizes)  # again when the window has its own

    def lock(self, is_locked: bool) -> None:
        for dock in self.docks.values():
            dock.setFeatures(LOCKED if is_locked else FREE)

    def state(self) -> bytes:
        return bytes(self._window.saveState(VERSION).data())

    def kept(self) -> dict[str, bytes]:
        """All arrangements as they stand, to be stored."""
        return {**self._kept, self.name: self.state()}

    def take(self, kept: Mapping[str, bytes], name: str) -> bool:
        """What was stored. False: it could not be used, and the window stands as it comes out of the box."""
        self._kept = {key: state for key, state in kept.items() if key in self._arrangements}
        is_other, self.name = name in self._arrangements and name != self.name, name if name in self._arrangements else self.name
        stored = self._kept.get(self.name)
        is_usable = stored is None or self._restored(stored)
        if not is_usable or (stored is None and is_other):
            self._stand_as_at_first()
        self._before.clear()
        self._after.clear()
        self._known()
        return is_usable

    def show(self, pane: str) -> None:
        """In front, and with the keyboard."""
        dock = self.docks[pane]
        dock.show()
        dock.raise_()
        inside = dock.widget()
        if inside is not None:
            inside.setFocus(Qt.FocusReason.OtherFocusReason)

    def is_behind(self, widget: QWidget) -> bool:
        """It lies in a pane that another tab covers: Qt moves those away, and takes them for visible."""
        return any(dock.isAncestorOf(widget) and dock.visibleRegion().isEmpty() for dock in self.docks.values())

    def _restored(self, state: bytes) -> bool:
        if not self._window.restoreState(QByteArray(state), VERSION):
            return False
        for dock in self.docks.values():
            if dock.isFloating() and not _can_be_reached(dock):
                dock.setFloating(False)  # its screen is gone
        self._head_all()
        return True

    def _head_all(self) -> None:
        """A pane whose tab names it needs no second heading; where tabs have no room they are moved, not cut off."""
        for bar in self._window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
            bar.setElideMode(Qt.TextElideMode.ElideNone)
            bar.setUsesScrollButtons(True)
        for dock in self.docks.values():
            is_tab = bool(self._window.tabifiedDockWidgets(dock)) and not dock.isFloating()
            if is_tab and dock.titleBarWidget() is None:
                dock.setTitleBarWidget(QWidget())
            elif not is_tab and dock.titleBarWidget() is not None:
                dock.setTitleBarWidget(None)  # type: ignore[arg-type]  # as Qt says; its type does not

    def _dock(self, pane: Pane) -> QDockWidget:
        dock = QDockWidget(pane.title, self._window)
        dock.setObjectName(pane.id)
        dock.setAccessibleName(pane.title)
        pane.widget.setMinimumSize(pane.widget.minimumSize().expandedTo(pane.least))
        dock.setWidget(pane.widget)
        dock.setFeatures(FREE)
        dock.toggleViewAction().setObjectName(f"{pane.id}Toggle")
        # When Qt tells of the move it is not over.
        for moved in (dock.dockLocationChanged, dock.topLevelChanged, dock.visibilityChanged):
            moved.connect(lambda _: QTimer.singleShot(0, self, self._head_all))
            moved.connect(lambda _: self._settling.start())
        return dock

    # What was before

    def _known(self) -> None:
        """As the panes stand now, nobody needs to go back to."""
        self._settling.stop()
        self._settled = (self.name, self._places(), self.state())
        self.changed.emit(self.name)
        self._tell_steps()

    def _settle(self) -> None:
        """A person moved, closed or opened a pane: how they stood before is to be had back. Which tab is in front is no such thing."""
        if QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton:
            self._settling.start()
            return
        places = self._places()
        if self._settled is not None and places != self._settled[1]:
            self._remember((self._settled[0], self._settled[2]))
        self._settled = (self.name, places, self.state())

    def _remember(self, stood: tuple[str, bytes] | None = None) -> None:
        self._before.append(stood or (self.name, self.state()))
        del self._before[:-MOST_UNDONE]
        self._after.clear()  # of another way on
        self._tell_steps()

    def _tell_steps(self) -> None:
        self.undoable.emit(bool(self._before))
        self.redoable.emit(bool(self._after))

    def _places(self) -> object:
        def place(dock: QDockWidget) -> object:
            beside = frozenset(other.objectName() for other in self._window.tabifiedDockWidgets(dock))
            return dock.isHidden(), dock.isFloating(), self._window.dockWidgetArea(dock), beside

        return {name: place(dock) for name, dock in self.docks.items()}

    def _stack(self, stack: Stack) -> None:
        docks = [self.docks[name] for name in stack.panes]
        for dock in docks:
            self._window.addDockWidget(stack.area, dock)
            dock.show()
        for left, right in pairwise(docks):
            self._window.tabifyDockWidget(left, right)
        docks[0].raise_()

    def _give_sizes(self) -> None:
        for stack in self._arrangements[self.name]:
            is_below = stack.area == Qt.DockWidgetArea.BottomDockWidgetArea
            size = min(stack.size, int(stack.share * self._window.height())) if is_below else stack.size
            self._window.resizeDocks(
                [self.docks[stack.panes[0]]], [size], Qt.Orientation.Vertical if is_below else Qt.Orientation.Horizontal
            )


def _can_be_reached(dock: QDockWidget) -> bool:
    """Its heading, by which it is dragged, lies on a screen."""
    frame = dock.frameGeometry()
    heading = frame.adjusted(0, 0, 0, -max(0, frame.height() - dock.fontMetrics().height()))
    return any(screen.availableGeometry().intersects(heading) for screen in QGuiApplication.screens())
