"""A list of things to do or open, one line each: drawing, name with the letters that were typed, what it is, its keys."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QPainter, QTextCharFormat, QTextLayout
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from sptrader_desktop.ui.theme.icons import icon
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID, ICON, RADIUS, SMALL

Index = QModelIndex | QPersistentModelIndex
ENTRY = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, slots=True)
class Entry:
    """`key` tells it from all others and is what is remembered of it. With a `reason` it cannot be done now, and that is why."""

    key: str
    text: str
    do: Callable[[], object]
    detail: str = ""
    keys: str = ""
    icon: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    entry: Entry
    places: tuple[int, ...] = ()


class EntryModel(QAbstractListModel):
    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._found: list[Found] = []

    def show_entries(self, found: list[Found]) -> None:
        self.beginResetModel()
        self._found = found
        self.endResetModel()

    def entry(self, row: int) -> Entry:
        return self._found[row].entry

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._found)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        found = self._found[index.row()]
        entry = found.entry
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return entry.text
            case Qt.ItemDataRole.AccessibleTextRole:
                return ", ".join(part for part in (entry.text, entry.detail, entry.keys, entry.reason) if part)
            case Qt.ItemDataRole.UserRole:
                return found
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        allowed = Qt.ItemFlag.ItemIsSelectable
        return allowed if self._found[index.row()].entry.reason else allowed | Qt.ItemFlag.ItemIsEnabled


class EntryDelegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, look().pixels(GRID * 7))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        found: Found = index.data(ENTRY)
        state: QStyle.StateFlag = option.state
        room = QRect(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look().colour("selected"))
            painter.drawRoundedRect(room, look().pixels(RADIUS), look().pixels(RADIUS))
        self._draw(painter, room.adjusted(look().pixels(GRID * 2), 0, -look().pixels(GRID * 2), 0), found)
        painter.restore()

    def _draw(self, painter: QPainter, room: QRect, found: Found) -> None:
        entry, gap, side = found.entry, look().pixels(GRID * 2), look().pixels(ICON)
        if entry.icon:
            icon(entry.icon, "muted").paint(painter, QRect(room.left(), room.top() + (room.height() - side) // 2, side, side))
        room.setLeft(room.left() + side + gap)
        painter.setFont(look().font(SMALL))
        painter.setPen(look().colour("muted"))
        for words in (entry.keys, entry.reason or entry.detail):
            if words:
                painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
                room.setRight(room.right() - painter.fontMetrics().horizontalAdvance(words) - gap * 2)
        draw_name(painter, room, found)


def draw_name(painter: QPainter, room: QRect, found: Found) -> None:
    """The letters that were typed in accent and bold: told from the others without colour too."""
    layout = QTextLayout(found.entry.text, look().font())
    marked = QTextCharFormat()
    marked.setForeground(look().colour("text" if found.entry.reason else "accent"))
    marked.setFont(look().font(bold=True))
    ranges = []
    for place in found.places:
        one = QTextLayout.FormatRange()
        one.start, one.length, one.format = place, 1, marked
        ranges.append(one)
    layout.setFormats(ranges)
    layout.beginLayout()
    line = layout.createLine()
    layout.endLayout()
    painter.setPen(look().colour("edge" if found.entry.reason else "text"))
    painter.setClipRect(room)
    layout.draw(painter, QPointF(room.left(), room.top() + (room.height() - line.height()) / 2))
