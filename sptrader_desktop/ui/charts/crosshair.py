"""What moves with the pointer, over the picture of a pane: the crosshair, its tag and the readout; and the tag of the newest value."""

from typing import NamedTuple, Protocol

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from sptrader_desktop.present.chart_frame import Frame
from sptrader_desktop.ui.charts.price_axis import PriceAxis, paint_tag
from sptrader_desktop.ui.charts.pyqtgraph_base import Item
from sptrader_desktop.ui.charts.series import Said, Series
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID, SMALL

MOST_ROWS = 3
ROW = 5 * GRID
MOST_SHARE = 2  # the readout keeps values from no more than this part of a pane
LOW = 30 * GRID  # a pane with less height says all in one line


class Ground(Protocol):
    """The pane that a crosshair lies over."""

    axis: PriceAxis
    series: list[Series]
    backdrop: list[Series]

    def frame(self) -> Frame: ...

    def plot_area(self) -> QRectF: ...


class Crosshair(Item):
    """`bar` is under the pointer in any pane of any linked chart; `value` only where the pointer is. `touches` are drawn on top."""

    def __init__(self, pane: Ground) -> None:
        super().__init__(QRectF())
        self._pane = pane
        self.bar: int | None = None
        self.value: float | None = None
        self.read_bar: int | None = None  # what the readout tells of: the pointed bar, else the newest in sight
        self.title = ""
        self.newest: tuple[float, str] | None = None  # a value and the role of its colour
        self.touches: list[Series] = []
        self.setZValue(1)

    def point(self, bar: int | None, value: float | None, read_bar: int | None) -> None:
        if (bar, value, read_bar) != (self.bar, self.value, self.read_bar):
            self.bar, self.value, self.read_bar = bar, value, read_bar
            self.update()

    def paint(self, painter: QPainter, option: object, widget: QWidget | None = None) -> None:
        pane, frame, plot = self._pane, self._pane.frame(), self._pane.plot_area()
        axis = QRectF(plot.right(), plot.top(), self.boundingRect().right() - plot.right(), plot.height())
        painter.save()
        painter.setClipRect(plot)
        painter.scale(1 / frame.scale, 1 / frame.scale)
        for series in self.touches:
            painter.save()
            series.paint(painter, frame)
            painter.restore()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QPen(look().colour("muted"), 0, Qt.PenStyle.DashLine))  # a hairline at any scale
        if self.bar is not None:
            x = round(frame.x_of(self.bar + 0.5))
            painter.drawLine(x, 0, x, frame.height)
        if self.value is not None:
            y = round(frame.y_of(self.value))
            painter.drawLine(0, y, frame.width, y)
        painter.restore()
        if self.newest is not None and 0 <= frame.y_of(self.newest[0]) <= frame.height:
            value, role = self.newest
            paint_tag(painter, axis, frame.y_of(value) / frame.scale, pane.axis.text(value), look().colour(role), look().colour("field"))
        if self.value is not None:
            text = pane.axis.text(self.value)
            paint_tag(painter, axis, frame.y_of(self.value) / frame.scale, text, look().colour("text"), look().colour("field"))
        self._paint_readout(painter, plot)

    def readout_height(self) -> float:
        """What the readout takes of the pane's top: what is fitted begins below it."""
        plot = self._pane.plot_area()
        return min(GRID + ROW * len(self._rows(plot)), plot.height() / MOST_SHARE)

    def _paint_readout(self, painter: QPainter, plot: QRectF) -> None:
        at = QPointF(plot.left() + 2 * GRID, plot.top() + GRID)
        for row in self._rows(plot):
            paint_row(painter, at, row)
            at += QPointF(0, ROW)

    def _rows(self, plot: QRectF) -> "list[list[Piece]]":
        """The first series, with the title, and below it all others together; what has no room in a line stands in the next."""
        lines, is_low = self.said(), plot.height() < LOW
        if is_low:
            lines = [[said for parts in lines for said in parts]]
        width, most = plot.width() - 4 * GRID, 1 if is_low else MOST_ROWS
        each = [rows_of("" if number else self.title, without_repeats(parts), width)[:most] for number, parts in enumerate(lines)]
        return [row for rows in each for row in rows]

    def said(self) -> list[list[Said]]:
        bar = self.read_bar
        if bar is None:
            return [[], []]
        each = [series.said(bar) for series in (*self._pane.series, *self._pane.backdrop)]
        return [each[0] if each else [], [said for parts in each[1:] for said in parts]]


def without_repeats(parts: list[Said]) -> list[Said]:
    """`MACD (12, 26, 9) … MACD signal …`: the parameters of one indicator stand once."""
    shown, before = list[Said](), ("", "")
    for said in parts:
        name, _, params = said.name.partition(" (")
        of = name.partition(" ")[0], params
        shown.append(said._replace(name=name) if params and of == before else said)
        before = of
    return shown


class Piece(NamedTuple):
    text: str
    is_bold: bool
    colour: QColor
    width: float  # with the gap behind it


def rows_of(title: str, parts: list[Said], width: float) -> "list[list[Piece]]":
    """A name stands in one row with its value."""
    muted = look().colour("muted")
    groups = [[_piece(title, look().colour("text"), 2 * GRID, is_bold=True)]] if title else []
    for said in parts:
        name = [_piece(said.name, muted, GRID)] if said.name else []
        groups.append([*name, _piece(said.text, said.colour, 2 * GRID)])
    rows: list[list[Piece]] = []
    for group in groups:
        if rows and _width(rows[-1]) + _width(group) <= width:
            rows[-1].extend(group)
        elif _width(group) <= width:
            rows.append([*group])
    return rows


def _piece(text: str, colour: QColor, gap: int, *, is_bold: bool = False) -> Piece:
    return Piece(text, is_bold, colour, look().width(text, SMALL, bold=is_bold) + gap)


def _width(row: list[Piece]) -> float:
    return sum(piece.width for piece in row)


def paint_row(painter: QPainter, at: QPointF, row: list[Piece]) -> None:
    painter.fillRect(QRectF(at.x() - GRID, at.y(), _width(row) + GRID, ROW), look().colour("field", 210))
    x = at.x()
    for piece in row:
        painter.setFont(look().font(SMALL, bold=piece.is_bold))
        painter.setPen(piece.colour)
        painter.drawText(QRectF(x, at.y(), piece.width + GRID, ROW), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, piece.text)
        x += piece.width
