"""What candle and equity charts share: panes over one row of bars, one time axis, one crosshair, and the keys.

Charts know each other only through the Selection: the instant under the pointer, the chosen bar and the span in view.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence, QMouseEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QSplitter, QStackedLayout, QVBoxLayout, QWidget

from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.present.actions import ACTIONS, Scope
from sptrader_desktop.present.chart_frame import Bars, Frame
from sptrader_desktop.present.clocks import clock_text, local_time, zone_text
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.selection import Selection, Span, Zone
from sptrader_desktop.present.time_marks import TimeMark, time_marks
from sptrader_desktop.ui.charts.chart_picture import save_picture
from sptrader_desktop.ui.charts.go_to_field import GoToField
from sptrader_desktop.ui.charts.pane import Pane, Spot
from sptrader_desktop.ui.charts.time_axis import LABEL_ROOM, TimeAxis
from sptrader_desktop.ui.key_names import sequences
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.empty_state import EmptyState, EmptyWords

T = TypeVar("T")

USUAL_BAR = 2 * GRID  # logical pixels a bar has at first
SUB_PANE_SHARE = 4  # the panes below have one part each to so many of the first


class TimeChart(QWidget):
    """`is_range_linked`: the span in view follows that of the Selection. `tells_span`: and sets it."""

    spanShown = Signal()
    pictureFailed = Signal(str)
    stepAsked = Signal()  # by the button of the empty chart

    def __init__(self, selection: Selection, empty: EmptyWords) -> None:
        super().__init__()
        self.selection = selection
        self.stamps: Int64Array = np.empty(0, np.int64)
        self.bar_us = 0
        self.bars = Bars(0.0, 1.0, 0)
        self.panes: list[Pane] = []
        self.is_range_linked = False
        self.tells_span = True
        self._is_following = False
        self._width = 0.0
        self._marks: list[TimeMark] = []
        self._marked: tuple[Int64Array, tuple[float, float, int, Zone]] | None = None  # what they are of
        self._is_held, self._is_due = False, False
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(1)
        self.time_axis = TimeAxis(self._frame)
        self.time_axis.zoomed.connect(lambda factor: self.zoom(factor, self.bars.last))
        self.time_axis.reset.connect(self.reset)
        self._stack = self._laid_out(empty)
        self.go_to_field = GoToField(self, lambda: selection.zone.value, self.go_to, self._readout_bottom)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._listen(selection.zone, self._show_zone)
        self._listen(selection.pointed, self._show_pointed)
        self._listen(selection.span, self._follow)

    def _laid_out(self, empty: EmptyWords) -> QStackedLayout:
        stack = QStackedLayout(self)
        stack.setContentsMargins(0, 0, 0, 0)
        self.empty = EmptyState(*empty, self.stepAsked.emit)
        self.empty.setObjectName("emptyChart")
        full = QWidget()
        column = QVBoxLayout(full)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.splitter, 1)
        column.addWidget(self.time_axis)
        stack.addWidget(self.empty)
        stack.addWidget(full)
        return stack

    def _listen(self, observable: Observable[T], watcher: Callable[[T], None]) -> None:
        """Until Qt deletes this widget."""
        unwatch = observable.watch(watcher)
        self.destroyed.connect(unwatch)

    def sizeHint(self) -> QSize:
        return QSize(160 * GRID, 100 * GRID)

    # Panes and bars

    def add_pane(self, pane: Pane, share: int = 1) -> None:
        self.panes.append(pane)
        self.splitter.addWidget(pane)
        self.splitter.setStretchFactor(self.splitter.count() - 1, share)
        pane.panned.connect(lambda bars: self.show_range(self.bars.moved(bars)))
        pane.zoomed.connect(self.zoom)
        pane.pointed.connect(lambda spot: self._point(pane, spot))
        pane.clicked.connect(lambda spot: self.clicked_at(pane, spot))
        pane.fitted.connect(self._align)
        self.splitter.splitterMoved.connect(pane.settle)

    def remove_pane(self, pane: Pane) -> None:
        self.panes.remove(pane)
        pane.hide()
        pane.setParent(None)
        pane.deleteLater()

    def show_stamps(self, stamps: Int64Array, bar_us: int) -> None:
        """Other bars than before. The range shown is the caller's to choose next."""
        self.stamps, self.bar_us = stamps, bar_us
        self._stack.setCurrentIndex(1 if len(stamps) else 0)
        if not len(stamps):
            self.go_to_field.leave()
        for pane in self.panes:
            pane.crosshair.point(None, None, None)

    def newest_range(self) -> Bars:
        return Bars.newest(len(self.stamps), max(self._plot_width(), 40 * GRID) / USUAL_BAR)

    def show_newest(self) -> None:
        self.show_range(self.newest_range())
        self.show_range(self.newest_range())  # now that the axes are as wide as their labels need

    def show_range(self, bars: Bars) -> None:
        """All panes show these bars; where the range is linked, other charts hear of it."""
        if not len(self.stamps):
            return
        self.bars = bars
        self.redraw()
        span = Span(int(self.stamps[self.bar_index(bars.first)]), int(self.stamps[self.bar_index(bars.last)]))
        if self.tells_span and not self._is_following:
            with self._following():
                self.selection.span.set(span)
        self.spanShown.emit()

    @contextmanager
    def drawn_once(self) -> Iterator[None]:
        """What is changed within is drawn when all of it is, or when the rest cannot be."""
        self._is_held, self._is_due = True, False
        try:
            yield
        finally:
            self._is_held = False
            if self._is_due:
                self.redraw()

    def redraw(self) -> None:
        if self._is_held:
            self._is_due = True
            return
        if not self.panes or not len(self.stamps):
            return
        self._align()
        self._mark_time(self.panes[0].plot_area().width())
        self._read()  # what is fitted begins below the readout
        for pane in self.panes:
            pane.show_bars(self.bars.first, self.bars.last, self._marks)
        self._align()
        newest = int(self.stamps[self.bar_index(self.bars.last)])
        self._width = self._plot_width()
        self.time_axis.show_marks(self._marks, zone_text(self.selection.zone.value, newest), self.panes[0].plot_area().right())
        self.go_to_field.give_way()

    def _mark_time(self, width: float) -> None:
        """Most often values have changed and time has not."""
        wanted = self.bars.first, self.bars.last, int(width // LABEL_ROOM), self.selection.zone.value
        if self._marked is None or self._marked[0] is not self.stamps or self._marked[1] != wanted:
            self._marks = time_marks(self.stamps, *wanted)
            self._marked = self.stamps, wanted

    def _align(self) -> None:
        """One width for the axes of all panes, so that a bar stands at the same place in each. It grows at once and shrinks seldom."""
        needed = max(pane.axis.room_needed() for pane in self.panes)
        now = self.panes[0].axis.width()
        if needed > now or needed < now - 6 * GRID or any(pane.axis.width() != now for pane in self.panes):
            for pane in self.panes:
                pane.axis.setWidth(needed)
                pane.centralLayout.activate()
                pane.settle()

    def _frame(self) -> Frame:
        """Bars stand at the same places in all panes."""
        return self.panes[0].frame()

    def bar_index(self, bar: float) -> int:
        return min(max(int(np.floor(bar)), 0), len(self.stamps) - 1)

    def bar_of(self, stamp: int) -> int:
        """The bar that a moment falls in, or the last one before it."""
        return max(0, int(np.searchsorted(self.stamps, stamp, side="right")) - 1)

    # Moving about

    def zoom(self, factor: float, at: float | None = None) -> None:
        self.show_range(self.bars.zoomed(factor, (self.bars.first + self.bars.last) / 2 if at is None else at))

    def pan(self, bars: float) -> None:
        self.show_range(self.bars.moved(bars))

    def reset(self) -> None:
        """The newest bars at their usual width, and every pane fitting its values."""
        for pane in self.panes:
            pane.is_fitting = True
        self.show_newest()

    def go_to(self, stamp: int) -> None:
        """The bar of that moment in the middle."""
        bar = self.bar_of(stamp)
        self.show_range(Bars(bar + 0.5 - self.bars.span / 2, bar + 0.5 + self.bars.span / 2, len(self.stamps)).held())

    def ask_date(self) -> None:
        if len(self.stamps):
            self.go_to_field.ask()

    def _readout_bottom(self) -> int:
        if not self.panes:  # others are about to take their place
            return 0
        pane = self.panes[0]
        return int(pane.y() + pane.plot_area().top() + pane.crosshair.readout_height())

    def title(self) -> str:
        """What a picture of this chart is of."""
        return self.accessibleName()

    def save_picture(self) -> None:
        if len(self.stamps):
            day = f"{local_time(int(self.stamps[self.bar_index(self.bars.last)]), self.selection.zone.value):%Y-%m-%d}"
            save_picture(self, self.title(), f"{self.title().partition(':')[0]} {day}.png", self.pictureFailed.emit)

    def clicked_at(self, pane: Pane, spot: Spot) -> None:
        """For who inherits this."""

    # Linked through the selection

    @contextmanager
    def _following(self) -> Iterator[None]:
        before, self._is_following = self._is_following, True
        try:
            yield
        finally:
            self._is_following = before

    def _follow(self, span: Span | None) -> None:
        if span is None or self._is_following or not self.is_range_linked or not len(self.stamps):
            return
        if span.last < self.stamps[0] or span.first > self.stamps[-1] + self.bar_us:
            return  # it has nothing of that time
        with self._following():
            first, last = self.bar_of(span.first), self.bar_of(span.last)
            self.show_range(Bars(float(first), float(max(last, first + 1)) + 1, len(self.stamps)))

    def _point(self, pane: Pane, spot: Spot | None) -> None:
        bar = None if spot is None or not len(self.stamps) else self.bar_index(spot.bar)
        for other in self.panes:
            other.crosshair.value = spot.value if spot is not None and other is pane else None
            other.crosshair.update()
        with self._following():
            self.selection.pointed.set(None if bar is None else int(self.stamps[bar]))
        self._show_bar(bar)

    def _show_pointed(self, stamp: int | None) -> None:
        if self._is_following:
            return
        for pane in self.panes:
            pane.crosshair.value = None
        self._show_bar(None if stamp is None or not len(self.stamps) else self.bar_of(stamp))

    def _show_bar(self, bar: int | None) -> None:
        for pane in self.panes:
            pane.crosshair.point(bar, pane.crosshair.value, bar if bar is not None else self._newest_in_sight())
        self.time_axis.tag(bar, "" if bar is None else clock_text(int(self.stamps[bar]), self.selection.zone.value, self.bar_us))
        self.go_to_field.give_way()

    def _read(self) -> None:
        for pane in self.panes:
            if pane.crosshair.bar is None:
                pane.crosshair.point(None, None, self._newest_in_sight())

    def _newest_in_sight(self) -> int | None:
        return self.bar_index(min(self.bars.last, len(self.stamps)) - 0.5) if len(self.stamps) else None

    def _show_zone(self, zone: Zone) -> None:
        self.redraw()

    # Keys and what Qt tells

    def commands(self) -> dict[str, Callable[[], object]]:
        """What this chart does, by the ids of the table of actions."""
        return {
            "chart.bar_left": lambda: self.pan(-1),
            "chart.bar_right": lambda: self.pan(1),
            "chart.page_left": lambda: self.pan(-self.bars.span * 0.9),
            "chart.page_right": lambda: self.pan(self.bars.span * 0.9),
            "chart.first": lambda: self.pan(-len(self.stamps)),
            "chart.last": lambda: self.pan(len(self.stamps)),
            "chart.zoom_in": lambda: self.zoom(1 / 1.25),
            "chart.zoom_out": lambda: self.zoom(1.25),
            "chart.reset": self.reset,
            "chart.go_to": self.ask_date,
            "chart.picture": self.save_picture,
        }

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The keys of the table, unless the window has made an action of a row: then that one's keys count."""
        pressed, commands = QKeySequence(event.keyCombination()), self.commands()
        taken = {action.objectName() for action in self.actions()}
        for row in ACTIONS:
            if row.scope is Scope.CHART and row.id in commands and row.id not in taken and pressed in sequences(row.keys):
                commands[row.id]()
                return
        super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.time_axis.show_focus(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.time_axis.show_focus(False)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Bars keep their width: a wider chart shows more of them, to the left."""
        super().resizeEvent(event)
        width = self._plot_width()
        if len(self.stamps) and self._width and width != self._width:
            self.show_range(self.bars.zoomed(width / self._width, self.bars.last))

    def _plot_width(self) -> float:
        return self.width() - (self.panes[0].axis.width() if self.panes else 0)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.redraw()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in {QEvent.Type.PaletteChange, QEvent.Type.FontChange}:
            self.redraw()
