"""The line above a chart: of what, in which timeframe, with which indicators, and whether it moves with others."""

from collections.abc import Collection, Sequence
from functools import partial

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QInputDialog, QLabel, QMenu, QScrollArea, QToolButton, QWidget

from sptrader_desktop.ui.market.indicators_on_chart import Slot
from sptrader_desktop.ui.theme.icons import beside, icon
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID, ICON
from sptrader_desktop.ui.widgets.words import tip

DOT = 3 * GRID


class ChartBar(QFrame):
    timeframeChosen = Signal(str)
    indicatorsAsked = Signal()
    slotAsked = Signal(object)  # Slot
    templatesAsked = Signal()
    templateWanted = Signal(str)
    templateSaved = Signal(str)
    templateDeleted = Signal(str)
    closeAsked = Signal()

    def __init__(self, symbol: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("chartBar")
        give(self, role="bar")
        self._shown: list[tuple[Slot, int]] = []
        self.symbol = QLabel(symbol)
        self.symbol.setObjectName("chartSymbol")
        give(self.symbol, role="title")
        self.box = QComboBox()
        self.box.setObjectName("timeframeBox")
        self.box.setAccessibleName("Timeframe")
        self.box.setToolTip("Timeframe (,): longer ones are made of these candles")
        self.box.textActivated.connect(self.timeframeChosen)
        self.add = self._button("addIndicatorButton", "Indicators", "plus", "Add an indicator (/), or drag one here from the navigator")
        self.add.clicked.connect(self.indicatorsAsked)
        self.templates = self._button("chartTemplatesButton", "", "layers", "Templates: sets of indicators, kept by name")
        self.templates.clicked.connect(self.templatesAsked)
        self.link = self._button("linkChartButton", "", "unlink", "Linked: move and point together with the other linked charts")
        self.link.setCheckable(True)
        self.link.toggled.connect(lambda is_linked: self.link.setIcon(icon("link" if is_linked else "unlink", "muted")))
        close = self._button("closeChartButton", "", "x", "Close this chart")
        close.clicked.connect(self.closeAsked)
        self._chips = QWidget()
        self._chip_row = QHBoxLayout(self._chips)
        self._chip_row.setContentsMargins(0, 0, 0, 0)
        self._chip_row.setSpacing(GRID)
        row = QHBoxLayout(self)
        row.setContentsMargins(GRID * 2, GRID, GRID, GRID)
        row.setSpacing(GRID * 2)
        for widget in (self.symbol, self.box, self.add):
            row.addWidget(widget)
        row.addWidget(self._chip_room(), 1)
        for widget in (self.templates, self.link, close):
            row.addWidget(widget)

    @property
    def timeframe(self) -> str:
        return self.box.currentText()

    def offer(self, timeframes: Sequence[str]) -> None:
        self.box.clear()
        self.box.addItems(list(timeframes))

    def show_timeframe(self, timeframe: str) -> None:
        self.box.setCurrentText(timeframe)

    def open_timeframes(self) -> None:
        self.box.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.box.showPopup()

    def show_slots(self, slots: Sequence[tuple[Slot, int]]) -> None:
        """With the number of the first line of each, for its colour."""
        self._shown = list(slots)
        focused = next((place for place, chip in enumerate(self._all_chips()) if chip.hasFocus()), None)
        while (item := self._chip_row.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for slot, number in slots:
            self._chip_row.addWidget(self._chip(slot, number))
        self._chip_row.addStretch(1)
        self._fit()
        chips = self._all_chips()
        if focused is not None and chips:
            chips[min(focused, len(chips) - 1)].setFocus()

    def chip(self, slot: Slot) -> QToolButton | None:
        place = next((place for place, (shown, _) in enumerate(self._shown) if shown is slot), None)
        return None if place is None else self._all_chips()[place]

    def open_templates(self, names: Collection[str], *, can_save: bool) -> None:
        menu = QMenu(self)
        menu.setObjectName("chartTemplatesMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name in sorted(names):
            menu.addAction(name, partial(self.templateWanted.emit, name))
        menu.addSeparator()
        save = menu.addAction("Save These Indicators As…", self._ask_name)
        save.setObjectName("saveTemplateAction")
        save.setEnabled(can_save)
        if names:
            delete = menu.addMenu("Delete")
            for name in sorted(names):
                delete.addAction(name, partial(self.templateDeleted.emit, name))
        menu.popup(self.templates.mapToGlobal(QPoint(0, self.templates.height())))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.show_slots(self._shown)

    # Within

    def _ask_name(self) -> None:
        dialog = QInputDialog(self)
        dialog.setObjectName("templateNameDialog")
        dialog.setWindowTitle("Save Template")
        dialog.setLabelText("Its name; one that is there already is replaced:")
        dialog.textValueSelected.connect(self.templateSaved)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _all_chips(self) -> list[QToolButton]:
        items = (self._chip_row.itemAt(place) for place in range(self._chip_row.count()))
        return [widget for item in items if item is not None and isinstance(widget := item.widget(), QToolButton)]

    def _chip(self, slot: Slot, number: int) -> QToolButton:
        chip = self._button("indicatorChip", slot.indicator.title, "", "Its parameters")
        chip.setIcon(icon("triangle-alert", "warning") if slot.fault else _dot(number))
        chip.setToolTip(tip(slot.fault or f"{slot.indicator.title}: change its parameters, or remove it"))
        chip.setAccessibleName(f"Indicator {slot.indicator.title}")
        chip.clicked.connect(lambda: self.slotAsked.emit(slot))
        return chip

    def _chip_room(self) -> QScrollArea:
        """More than there is room for are scrolled to; they never make the window wider."""
        room = QScrollArea()
        room.setObjectName("indicatorChips")
        room.setAccessibleName("Indicators of this chart")
        room.setFrameShape(QFrame.Shape.NoFrame)
        room.setWidgetResizable(True)
        room.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        room.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        room.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        room.setFixedHeight(self.add.sizeHint().height())
        room.setWidget(self._chips)
        room.installEventFilter(self)
        self._room = room
        return room

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize and watched is self._room:
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        """Where the room is too narrow, names go without their parameters: those are in the tip and in the readout."""
        chips, spaces = self._all_chips(), GRID * max(0, len(self._shown) - 1)
        for is_short in (False, True):
            for chip, (slot, _) in zip(chips, self._shown, strict=True):
                chip.setText(beside(slot.indicator.title.partition(" (")[0] if is_short else slot.indicator.title))
            if sum(chip.sizeHint().width() for chip in chips) + spaces <= self._room.width():
                break

    def _button(self, name: str, text: str, drawing: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setObjectName(name)
        button.setText(beside(text) if drawing and text else text)
        button.setToolTip(tip)
        button.setAccessibleName(tip if not text else f"{text}: {tip}")
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon if text else Qt.ToolButtonStyle.ToolButtonIconOnly)
        if drawing:
            button.setIcon(icon(drawing, "muted"))
        give(button, role="flat")
        return button


def _dot(number: int) -> QIcon:
    """In the colour of the indicator's first line."""
    side = look().pixels(ICON)
    pixmap = QPixmap(QSize(side, side) * 2)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(look().line_colour(number))
    dot = look().pixels(DOT) * 2
    painter.drawEllipse(QRectF(side - dot / 2, side - dot / 2, dot, dot))
    painter.end()
    return QIcon(pixmap)
