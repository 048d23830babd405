"""Drawing on a chart: horizontal and trend lines that can be dragged, undone and deleted, and a ruler that leaves nothing behind."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Literal

from PySide6.QtCore import QLineF, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPen, QUndoCommand, QUndoStack

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.present.chart_frame import Frame
from sptrader_desktop.present.drawings import Corner, Drawing, DrawingBook, Drawings, Kind, exchanged, measured
from sptrader_desktop.present.numbers import price_unit
from sptrader_desktop.present.price_alerts import MOST_TICKS
from sptrader_desktop.ui.charts.backdrops import Backdrop
from sptrader_desktop.ui.charts.pane import Pane, Spot
from sptrader_desktop.ui.charts.trade_series import draw_text
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID

Tool = Literal["", "trend", "measure"]
NEAR = 1.5 * GRID  # logical pixels from a line that still mean it


class Change(QUndoCommand):
    """Of one line: those that another chart of the symbol drew meanwhile stay."""

    def __init__(self, book: DrawingBook, symbol: str, before: Drawing | None, after: Drawing | None, place: int, text: str) -> None:
        super().__init__(text)
        self._book, self._symbol, self._before, self._after, self._place = book, symbol, before, after, place

    def redo(self) -> None:
        self._exchange(self._before, self._after)

    def undo(self) -> None:
        self._exchange(self._after, self._before)

    def _exchange(self, gone: Drawing | None, come: Drawing | None) -> None:
        self._book.put(self._symbol, exchanged(self._book.page(self._symbol).value, gone, come, self._place))


class DrawingTools(QObject):
    """For one chart: `bar_of` and `bar_index` are the chart's. `changed` asks it to paint again."""

    changed = Signal()
    said = Signal(str)  # what the keyboard does next; nothing without a tool

    def __init__(self, book: DrawingBook, bar_of: Callable[[int], int], bar_index: Callable[[float], int], parent: QObject) -> None:
        super().__init__(parent)
        self.book = book
        self._stacks = defaultdict[str, QUndoStack](lambda: QUndoStack(self))
        self.tool: Tool = ""
        self.chosen: int | None = None
        self.ruler: tuple[Spot, Spot] | None = None
        self.aim: Spot | None = None  # the end that the keyboard moves
        self.dragged: tuple[int, Drawing] | None = None  # which line (past the last one: a new one), as it is while it is dragged
        self._origin: tuple[Spot, Drawing | None, int] | None = None
        self._bar_of, self._bar_index = bar_of, bar_index
        self._candles: Candles | None = None
        self._seen: Drawings = ()
        self._converted: tuple[Drawings, Decimal, Drawings] | None = None  # a page, a tick, and what the page is in it
        self._said = ""
        self._is_chosen_by_key = False  # perhaps where nobody looks, so that it is said which it is
        self._taken = 2  # the end of the chosen line that the keyboard took last, as `line_at` counts them
        self._unwatch: Callable[[], None] = lambda: None

    def attach(self, pane: Pane, candles: Candles) -> None:
        self.detach()
        self._candles = candles if len(candles) else None  # nothing is drawn where there is no bar
        self._seen = self.drawings
        self._unwatch = self.book.page(candles.symbol).watch(self._follow)
        pane.takes_drag = self.takes_drag
        pane.dragged.connect(self.drag)
        pane.dropped.connect(self.drop)
        pane.crosshair.touches = [DrawnLines(self), Ruler(self)]

    def detach(self) -> None:
        """There are no candles any more; whatever was begun on them is dropped."""
        self.close()
        self.leave()
        self._candles, self._seen, self._unwatch = None, (), lambda: None

    def extend(self, candles: Candles) -> None:
        """The same candles with more of them: what is under way stays."""
        self._candles = candles

    def close(self) -> None:
        self._unwatch()

    @property
    def candles(self) -> Candles | None:
        return self._candles

    @property
    def undo_stack(self) -> QUndoStack:
        """Of the symbol that is shown: what nobody sees is not undone."""
        return self._stacks["" if self._candles is None else self._candles.symbol]

    @property
    def drawings(self) -> Drawings:
        """In the ticks of these candles: other charts of the symbol may show those of a run with other instruments."""
        if self._candles is None:
            return ()
        tick, page = self._candles.instrument.tick, self.book.page(self._candles.symbol).value
        if self._converted is None or self._converted[0] is not page or self._converted[1] != tick:
            self._converted = page, tick, tuple(drawing.in_ticks(tick) for drawing in page)
        return self._converted[2]

    def place(self, drawing: Drawing) -> tuple[float, float]:
        """The bars that a line's corners stand on."""
        return self._bar_of(drawing.start.stamp) + 0.5, self._bar_of(drawing.end.stamp) + 0.5

    # Commands

    def start(self, tool: Tool) -> None:
        wanted: Tool = "" if self.tool == tool or self._candles is None else tool
        self.leave()
        self.tool = wanted
        self._redraw()

    def draw_horizontal(self, ticks: int, bar: int) -> None:
        if self._candles is not None:
            corner = Corner(int(self._candles.timestamp[bar]), ticks)
            self._change(None, self._drawn("horizontal", corner), "draw a horizontal line")

    def delete_chosen(self) -> None:
        if self.chosen is not None and self.chosen < len(self.drawings):
            self._change(self.drawings[self.chosen], None, "delete a line")

    def undo(self) -> None:
        self.undo_stack.undo()

    def redo(self) -> None:
        self.undo_stack.redo()

    def choose_line(self) -> None:
        """The newest one, then those before, all around."""
        chosen, count = self.chosen or 0, len(self.drawings)
        self.leave()
        if count:
            self.chosen, self._is_chosen_by_key, self._taken = (chosen - 1) % count, True, 2
            self._redraw()

    def move_chosen(self, bars: int, ticks: int) -> None:
        if self.chosen is not None:
            line = self.drawings[self.chosen]
            after = self._moved(line, bars, ticks)
            if max(abs(after.start.ticks), abs(after.end.ticks)) <= MOST_TICKS:
                self._change(line, after, "move a line")

    def leave(self) -> None:
        """Whatever was begun is dropped."""
        self._is_chosen_by_key = False
        self.tool, self.chosen, self.ruler, self.dragged, self._origin = "", None, None, None, None
        self.aim = None
        self._redraw()

    def _moved(self, line: Drawing, bars: int, ticks: int) -> Drawing:
        """By bars and not by time, of which weekends have much: it keeps its shape."""
        start, end = (Corner(self._later(corner.stamp, bars), corner.ticks + ticks) for corner in (line.start, line.end))
        return replace(line, start=start, end=end)

    def _later(self, stamp: int, bars: int) -> int:
        """Where there are no candles all bars take the same time."""
        if self._candles is None:
            return stamp
        stamps, bar = self._candles.timestamp, self._bar_of(stamp)
        is_known = stamps[0] <= stamp <= stamps[-1] and 0 <= bar + bars < len(stamps)
        return stamp + (int(stamps[bar + bars] - stamps[bar]) if is_known else bars * self._candles.bar_us)

    def _drawn(self, kind: Kind, corner: Corner) -> Drawing:
        return Drawing(kind, corner, corner, None if self._candles is None else self._candles.instrument.tick)

    def _change(self, before: Drawing | None, after: Drawing | None, text: str) -> None:
        """What came of it is the chosen line. What goes is told as the book has it, in whichever ticks."""
        if self._candles is not None and after != before and (before is None or before in self.drawings):
            place = len(self.drawings) if before is None else self.drawings.index(before)
            gone = None if before is None else self.book.page(self._candles.symbol).value[place]
            self.undo_stack.push(Change(self.book, self._candles.symbol, gone, after, place, text))
            self.chosen = None if after is None else self.drawings.index(after)
            self._redraw()

    def _follow(self, _changed: Drawings) -> None:
        """The chosen line stays so, whichever place it has now."""
        drawings = self.drawings
        if self.chosen is not None:
            line = self._seen[self.chosen]
            self.chosen = drawings.index(line) if line in drawings else None
        if self._origin is not None and self._origin[1] not in (None, *drawings):
            self.aim = self.dragged = self._origin = None  # what is moved is not there any more
        self._seen = drawings
        self._redraw()

    # The keyboard

    def press(self, spot: Spot) -> None:
        """One end is here, or where it was moved to since it began. Without a tool an end of the chosen line is taken, then the other."""
        if self.aim is not None:
            self.drop(self.aim)
        elif self.is_trend_chosen:
            self._take_end(spot.frame)
        elif self.tool and self.takes_drag(spot, Qt.KeyboardModifier.NoModifier):
            self.aim = spot
            self._redraw()

    @property
    def is_trend_chosen(self) -> bool:
        """By key, and no tool is at work: then keys move it."""
        is_chosen = self._is_chosen_by_key and not self.tool and self.aim is None and self.chosen is not None
        return is_chosen and self.drawings[self.chosen or 0].kind == "trend"

    def _take_end(self, frame: Frame) -> None:
        number, line = self.chosen or 0, self.drawings[self.chosen or 0]
        self._taken = 3 - self._taken
        end, (first, last) = line.end if self._taken == 1 else line.start, self.place(line)
        bar = last if self._taken == 1 else first
        self.aim = Spot(bar, float(end.ticks), frame_point(frame, bar, end.ticks), frame)
        self.dragged, self._origin = (number, line), (self.aim, line, self._taken)
        self._redraw()

    def aim_at(self, bar: float, value: float) -> None:
        if self.aim is not None:
            self.aim = self.aim._replace(bar=bar, value=value)
            self.drag(self.aim)

    def words(self) -> str:
        if not self.tool and self.aim is None:
            return self._chosen_words() if self._is_chosen_by_key and self.chosen is not None else ""
        name = "Ruler" if self.tool == "measure" else "Trend line"
        if not self.tool and self.aim is not None and self._candles is not None:
            end = price_unit(self._candles.instrument).text(round(self.aim.value))
            return f"{name}: Shift and arrows move its end at {end}, Enter ends, Esc gives up"
        if self.aim is None:
            return f"{name}: drag, or Enter to begin at the chosen bar (Shift+← and Shift+→ choose one)"
        return f"{name}: Shift and arrows move the other end, Enter ends, Esc gives up"

    def _chosen_words(self) -> str:
        if self.chosen is None or self._candles is None:
            return ""
        line, unit = self.drawings[self.chosen], price_unit(self._candles.instrument)
        start, end = unit.text(line.start.ticks), unit.text(line.end.ticks)
        is_level, place = line.kind == "horizontal", f"{len(self.drawings) - self.chosen} of {len(self.drawings)}"
        name = f"Horizontal line at {start}" if is_level else f"Trend line from {start} to {end}"
        keys = "Shift+↑ and Shift+↓ move it" if is_level else "Shift and arrows move it, Enter takes one end, then the other"
        return f"{name} ({place}): Delete deletes it, {keys}, Esc leaves it"

    # The mouse

    def takes_drag(self, spot: Spot, keys: Qt.KeyboardModifier) -> bool:
        """A drag that begins here: the ruler, a new trend line, a line's end or a whole line. What another one began is dropped."""
        self.ruler = self.aim = self.dragged = self._origin = None
        self._is_chosen_by_key = False
        if self._candles is None:
            return False
        if self.tool == "measure" or keys & Qt.KeyboardModifier.ShiftModifier:
            self.ruler = (spot, spot)
        elif self.tool == "trend":
            corner = self._corner(spot)
            self.dragged, self._origin = (len(self.drawings), self._drawn("trend", corner)), (spot, None, 1)
        else:
            return self._grab_line(spot)
        self._redraw()
        return True

    def _grab_line(self, spot: Spot) -> bool:
        found = self.line_at(spot)
        self.chosen = None if found is None else found[0]
        if found is not None:
            number, corner = found
            self.dragged, self._origin = (number, self.drawings[number]), (spot, self.drawings[number], corner)
        self._redraw()
        return found is not None

    def drag(self, spot: Spot) -> None:
        if self.ruler is not None:
            self.ruler = (self.ruler[0], spot)
        elif self.dragged is not None and self._origin is not None:
            number, drawing = self.dragged
            begun, original, corner = self._origin
            if corner == 0 and original is not None:
                bars = self._bar_index(spot.bar) - self._bar_index(begun.bar)
                self.dragged = (number, self._moved(original, bars, self._corner(spot).ticks - self._corner(begun).ticks))
            elif corner == 1:
                self.dragged = (number, replace(drawing, end=self._corner(spot)))
            else:
                self.dragged = (number, replace(drawing, start=self._corner(spot)))
        self._redraw()

    def drop(self, spot: Spot) -> None:
        self.drag(spot)
        self.aim = None
        if self.tool == "measure":
            self.tool = ""
        if self.dragged is None:
            self._redraw()
            return
        (_, drawing), original = self.dragged, self._origin[1] if self._origin else None
        self.tool, self.dragged, self._origin = "", None, None
        if drawing.kind == "horizontal" or drawing.start != drawing.end:
            self._change(original, drawing, "draw a trend line" if original is None else "move a line")
        self._redraw()

    def line_at(self, spot: Spot) -> tuple[int, int] | None:
        """Which line, and what of it: 0 for the whole, 1 for its end, 2 for its start."""
        drawings = self.drawings
        for number in reversed(range(len(drawings))):
            drawing = drawings[number]
            start, end = self._ends(spot.frame, drawing)
            if drawing.kind == "trend":
                if QLineF(spot.at, end).length() <= 2 * NEAR:
                    return number, 1
                if QLineF(spot.at, start).length() <= 2 * NEAR:
                    return number, 2
            if _distance(spot.at, start, end, is_endless=drawing.kind == "horizontal") <= NEAR:
                return number, 0
        return None

    def _ends(self, frame: Frame, drawing: Drawing) -> tuple[QPointF, QPointF]:
        first, last = self.place(drawing)
        return frame_point(frame, first, drawing.start.ticks), frame_point(frame, last, drawing.end.ticks)

    def _corner(self, spot: Spot) -> Corner:
        candles = self._candles
        stamp = int(candles.timestamp[self._bar_index(spot.bar)]) if candles is not None else 0
        return Corner(stamp, min(max(round(spot.value), -MOST_TICKS), MOST_TICKS))  # a hand may leave the pane

    def ruler_text(self) -> str:
        if self.ruler is None or self._candles is None:
            return ""
        begin, end = self.ruler
        return measured(self._candles, self._bar_index(begin.bar), round(begin.value), self._bar_index(end.bar), round(end.value))

    def _redraw(self) -> None:
        self.changed.emit()
        if self.words() != self._said:
            self._said = self.words()
            self.said.emit(self._said)


def frame_point(frame: Frame, bar: float, value: float) -> QPointF:
    """In logical pixels."""
    return QPointF(frame.x_of(bar), frame.y_of(value)) / frame.scale


def _distance(at: QPointF, start: QPointF, end: QPointF, *, is_endless: bool) -> float:
    if is_endless:
        return abs(at.y() - start.y())
    line = end - start
    length = QPointF.dotProduct(line, line)
    share = min(max(QPointF.dotProduct(at - start, line) / length, 0.0), 1.0) if length else 0.0
    return QLineF(at, start + line * share).length()


class DrawnLines(Backdrop):
    def __init__(self, tools: DrawingTools) -> None:
        self._tools = tools

    def paint(self, painter: QPainter, frame: Frame) -> None:
        tools = self._tools
        shown = list(tools.drawings)
        if tools.dragged is not None:
            number, drawing = tools.dragged
            shown[number : number + 1] = [drawing]
        if tools.candles is None:
            return
        unit = price_unit(tools.candles.instrument)
        for number, drawing in enumerate(shown):
            is_chosen = number == tools.chosen or (tools.dragged is not None and number == tools.dragged[0])
            painter.setPen(QPen(look().colour("accent"), (2 if is_chosen else 1) * frame.scale))
            if drawing.kind == "horizontal":
                y = frame.y_of(drawing.start.ticks)
                painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
                painter.drawLine(0, round(y), frame.width, round(y))
                draw_text(
                    painter, frame, frame.width, y - 2.5 * GRID * frame.scale, unit.text(drawing.start.ticks), look().colour("accent")
                )
            else:
                self._paint_trend(painter, frame, drawing, is_chosen=is_chosen)

    def _paint_trend(self, painter: QPainter, frame: Frame, drawing: Drawing, *, is_chosen: bool) -> None:
        first, last = self._tools.place(drawing)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        ends = [frame_point(frame, first, drawing.start.ticks) * frame.scale, frame_point(frame, last, drawing.end.ticks) * frame.scale]
        painter.drawLine(*ends)
        if is_chosen:
            painter.setBrush(look().colour("field"))
            for end in ends:
                painter.drawEllipse(end, GRID * frame.scale, GRID * frame.scale)


class Ruler(Backdrop):
    def __init__(self, tools: DrawingTools) -> None:
        self._tools = tools

    def paint(self, painter: QPainter, frame: Frame) -> None:
        if self._tools.ruler is None:
            return
        begin, end = self._tools.ruler
        role = "up" if end.value >= begin.value else "down"
        one, other = (QPointF(frame.x_of(spot.bar), frame.y_of(spot.value)) for spot in (begin, end))
        painter.fillRect(QRectF(one, other).normalized(), look().colour(role, 40))
        painter.setPen(QPen(look().colour(role), frame.line_px))
        painter.drawLine(one, other)
        below = (5 if role == "down" else -5) * GRID * frame.scale
        draw_text(painter, frame, other.x(), other.y() + below, self._tools.ruler_text(), look().colour("text"))
