"""A chart as a picture to keep: what is on screen, under a line that says what it shows."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QWidget

from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID

STRIP = 8 * GRID


def chart_picture(chart: QWidget, title: str) -> QImage:
    """In the device pixels of the screen; `save("chart.png")` writes it."""
    shot = chart.grab()
    scale = shot.devicePixelRatio()
    image = QImage(shot.width(), shot.height() + round(STRIP * scale), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    image.fill(look().colour("panel"))
    painter = QPainter(image)
    painter.setFont(look().font(bold=True))
    painter.setPen(look().colour("text"))
    box = QRectF(2 * GRID, 0, shot.width() / scale - 4 * GRID, STRIP)
    painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, title)
    painter.drawPixmap(QPointF(0, STRIP), shot)
    painter.end()
    return image
