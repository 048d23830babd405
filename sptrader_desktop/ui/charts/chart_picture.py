"""A chart as a picture to keep: what is on screen, under a line that says what it shows."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QBuffer, QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QFileDialog, QWidget

from sptrader_desktop.runtime.whole_files import write_whole
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


def _png(image: QImage) -> bytes:
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload] # the format is text, which the types do not know
    return bytes(buffer.data().data())


def save_picture(chart: QWidget, title: str, name: str, failed: Callable[[str], object]) -> QFileDialog:
    """Ask where to, without stopping anything; the picture is of the moment of asking. `failed` is told why it could not be written."""
    image = chart_picture(chart, title)
    dialog = QFileDialog(chart, "Save Picture", name, "Pictures (*.png)")
    dialog.setObjectName("savePictureDialog")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix("png")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def write(path: str) -> None:
        try:
            write_whole(Path(path), _png(image))
        except OSError as error:
            failed(f"The picture could not be written to {path} ({error.strerror}): choose a folder with room that you may write to")

    dialog.fileSelected.connect(write)
    dialog.selectFile(str(Path(name)))
    dialog.open()
    return dialog
