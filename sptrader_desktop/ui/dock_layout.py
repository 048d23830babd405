"""Where the panes stand: arrangements that are kept, locked and reset, and that heal when what was kept is broken or a screen is gone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QByteArray, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabWidget, QWidget

# Raised when panes come or go in a way that an older arrangement cannot know.
VERSION = 1

LOCKED = QDockWidget.DockWidgetFeature.DockWidgetClosable
FREE = LOCKED | QDockWidget.DockWidgetFeature.DockWidgetMovable | QDockWidget.DockWidgetFeature.DockWidgetFloatable


@dataclass(frozen=True, slots=True)
class Pane:
    """`id` is the dock's object name, under which an arrangement finds it again."""

    id: str
    title: str
    widget: QWidget


@dataclass(frozen=True, slots=True)
class Stack:
    """Panes that share one place as tabs, the first in front; `size` is the width, or at the bottom the height, it asks for."""

    area: Qt.DockWidgetArea
    size: int
    panes: tuple[str, ...]


Arrangement = Sequence[Stack]


class DockLayout(QObject):
    changed = Signal(str)  # the arrangement's name

    def __init__(self, window: QMainWindow, panes: Sequence[Pane], arrangements: Mapping[str, Arrangement]) -> None:
        super().__init__(window)
        self._window, self._arrangements = window, arrangements
        self._kept: dict[str, bytes] = {}
        self.name = next(iter(arrangements))
        self.docks = {pane.id: self._dock(pane) for pane in panes}
        options = QMainWindow.DockOption
        window.setDockOptions(options.AllowTabbedDocks | options.AllowNestedDocks | options.GroupedDragging)
        # What stands at the sides is as tall as the window.
        window.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea)
        window.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self.reset()

    def use(self, name: str) -> None:
        """Go to another arrangement; how this one stands is kept."""
        self._kept[self.name] = self.state()
        self.name = name
        kept = self._kept.get(name)
        if kept is None or not self._restored(kept):
            self.reset()
        self.changed.emit(name)

    def reset(self) -> None:
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
        self.name = name if name in self._arrangements else self.name
        if self.name in self._kept and not self._restored(self._kept[self.name]):
            self.reset()
            return False
        return True

    def show(self, pane: str) -> None:
        """In front, and with the keyboard."""
        dock = self.docks[pane]
        dock.show()
        dock.raise_()
        inside = dock.widget()
        if inside is not None:
            inside.setFocus(Qt.FocusReason.OtherFocusReason)

    def _restored(self, state: bytes) -> bool:
        if not self._window.restoreState(QByteArray(state), VERSION):
            return False
        for dock in self.docks.values():
            if dock.isFloating() and QGuiApplication.screenAt(dock.frameGeometry().center()) is None:
                dock.setFloating(False)  # its screen is gone
        self._head_all()
        return True

    def _head_all(self) -> None:
        """A pane whose tab names it needs no second heading."""
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
        dock.setWidget(pane.widget)
        dock.setFeatures(FREE)
        dock.toggleViewAction().setObjectName(f"{pane.id}Toggle")
        # When Qt tells of the move it is not over.
        for moved in (dock.dockLocationChanged, dock.topLevelChanged, dock.visibilityChanged):
            moved.connect(lambda _: QTimer.singleShot(0, self, self._head_all))
        return dock

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
            along = Qt.Orientation.Vertical if stack.area == Qt.DockWidgetArea.BottomDockWidgetArea else Qt.Orientation.Horizontal
            self._window.resizeDocks([self.docks[stack.panes[0]]], [stack.size], along)
