"""What a pane draws, and what each of them answers: how far its values reach, how it is painted, what it says about a bar."""

from typing import NamedTuple, Protocol

from PySide6.QtGui import QColor, QPainter

from sptrader_desktop.present.chart_frame import Frame


class Said(NamedTuple):
    """A part of a readout: what, how much, and in which colour."""

    name: str
    text: str
    colour: QColor


class Series(Protocol):
    """`reach` is asked before `paint`, for the same bars and columns, so that what it worked out can be kept."""

    def reach(self, frame: Frame) -> tuple[float, float] | None: ...

    def paint(self, painter: QPainter, frame: Frame) -> None: ...

    def said(self, bar: int) -> list[Said]: ...
