"""The guide, offline: its pages beside a list of them, searched by words, with links, tables and pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, Qt, QUrl
from PySide6.QtGui import (
    QDesktopServices,
    QImage,
    QResizeEvent,
    QTextCursor,
    QTextDocument,
    QTextFrameFormat,
    QTextLength,
    QTextOption,
    QTextTable,
)
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QSplitter, QTextBrowser, QVBoxLayout, QWidget

from sptrader_desktop.present.guide import START, Page, page_of, pages, search
from sptrader_desktop.ui.tables.table_view import RoomyCells
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.turns import Turns
from sptrader_desktop.ui.widgets.composite import Composite
from sptrader_desktop.ui.widgets.search_field import SearchField

DOCUMENTS = ("guide.md", "bar-rules.md")
BESIDE = GRID * 140  # from which width on the page has room enough beside the list
PLACE = Qt.ItemDataRole.UserRole


class PageView(QTextBrowser):
    """Pictures are never wider than there is room for them."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self.setObjectName("guidePage")
        self.setAccessibleName("Page of the guide")
        self.setOpenLinks(False)
        self.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.document().setDocumentMargin(GRID * 4)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        # One that comes and goes with the height of a picture would change the width that the picture is fitted to.
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self._text = ""
        self._pictures: dict[Path, QImage] = {}  # as they are in their files: to read one takes longer than all else at a change of width

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width() and "![" in self._text:
            self._fit_pictures()

    def _fit_pictures(self) -> None:
        place = self.verticalScrollBar().value()
        self.show_text(self._text)
        self.verticalScrollBar().setValue(place)

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        path = self._folder / (name.toString() if isinstance(name, QUrl) else name)
        if kind == QTextDocument.ResourceType.ImageResource.value and path.is_file():
            picture, density = self._picture(path), self.devicePixelRatioF()
            room = round((self.viewport().width() - GRID * 8) * density)
            is_wide = picture.width() > room > 0
            fitted = picture.scaledToWidth(room, Qt.TransformationMode.SmoothTransformation) if is_wide else QImage(picture)
            fitted.setDevicePixelRatio(density)
            return fitted
        return super().loadResource(kind, name)

    def _picture(self, path: Path) -> QImage:
        if path not in self._pictures:
            self._pictures[path] = QImage(str(path))
        return self._pictures[path]

    def show_text(self, text: str) -> None:
        self._text = text
        self.document().clear()
        self.document().setDefaultStyleSheet(f"a {{ color: {look().colour('accent').name()} }}")
        self.setMarkdown(text)
        self._wrap_code()
        for frame in self.document().rootFrame().childFrames():
            if isinstance(frame, QTextTable):
                shape = frame.format()
                shape.setBorder(1)
                shape.setBorderCollapse(True)
                shape.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
                shape.setBorderBrush(look().colour("line"))
                shape.setCellPadding(GRID)
                shape.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
                frame.setFormat(shape)

    def _wrap_code(self) -> None:
        """Its long lines go on below, as everything does: nothing is to be read sideways."""
        block = self.document().begin()
        while block.isValid():
            if block.blockFormat().nonBreakableLines():
                shape = block.blockFormat()
                shape.setNonBreakableLines(False)
                QTextCursor(block).setBlockFormat(shape)
            block = block.next()


class GuidePane(Composite):
    """Reads `folder` when it is first shown or asked."""

    def __init__(self, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("guidePane")
        self._folder = folder
        self._pages: Sequence[Page] = ()
        self._turns = Turns(self)  # Qt tells a pane behind others that it is shown
        self.shown: Page | None = None
        self.list, self.page = QListWidget(), PageView(folder)
        self.search = SearchField("Search the guide", "guideSearch", self.list)
        self.list.setObjectName("guideContents")
        self.list.setAccessibleName("Pages of the guide")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # what is too long ends in dots
        self.list.setItemDelegate(RoomyCells(self.list))
        self._lay_out()
        self.main_part = self.page
        self.search.textChanged.connect(self._list)
        self.list.currentItemChanged.connect(lambda item, _before: self._show(self._pages[item.data(PLACE)]) if item else None)
        self.page.anchorClicked.connect(self._follow)

    def open_at(self, anchor: str = START) -> None:
        self._read()
        page = next((page for page in self._pages if page.anchor == anchor), None) or next(iter(self._pages), None)
        if page is not None:
            self._go(page)

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Show and not self._pages:
            self._turns.hand(self, self._begin)
        elif event.type() is QEvent.Type.PaletteChange and self.shown is not None:
            self.page.show_text(self.shown.text)
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow pane the list stands above the page."""
        super().resizeEvent(event)
        is_narrow = event.size().width() < look().pixels(BESIDE)
        self._split.setOrientation(Qt.Orientation.Vertical if is_narrow else Qt.Orientation.Horizontal)

    def _begin(self) -> None:
        """At the start, unless it was asked for something else."""
        if not self._pages:
            self.open_at()

    def _read(self) -> None:
        if self._pages:
            return
        found: list[Page] = []
        for name in DOCUMENTS:
            try:
                found += pages((self._folder / name).read_text(encoding="utf-8"), name)
            except OSError as error:
                self.page.setPlainText(f"{self._folder / name} cannot be read ({error.strerror}): install the program again")
        self._pages = found
        self._list("")

    def _list(self, words: str) -> None:
        """All pages in their order, or those that hold the words."""
        self.list.blockSignals(True)
        self.list.clear()
        for page in search(self._pages, words) if words.strip() else self._pages:
            item = QListWidgetItem("   " * max(0, page.level - 2) + page.title.replace("`", ""))
            item.setData(PLACE, self._pages.index(page))
            self.list.addItem(item)
            if page is self.shown:
                self.list.setCurrentItem(item)
        self.list.blockSignals(False)
        if words.strip() and self.list.count():
            self.list.setCurrentRow(0)

    def _go(self, page: Page) -> None:
        if self.search.text():
            self.search.clear()
        self.list.setCurrentRow(self._pages.index(page))
        self._show(page)

    def _show(self, page: Page) -> None:
        if page is not self.shown:
            self.shown = page
            self.page.show_text(page.text)

    def _follow(self, link: QUrl) -> None:
        """To another page; what is no page opens where such things open."""
        page = page_of(self._pages, link.toString(), self.shown.document if self.shown else DOCUMENTS[0])
        if page is not None:
            self._go(page)
        elif link.scheme():
            QDesktopServices.openUrl(link)

    def _lay_out(self) -> None:
        left, self._split = QWidget(), QSplitter(Qt.Orientation.Horizontal)
        split = self._split
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.search)
        column.addWidget(self.list, 1)
        split.addWidget(left)
        split.addWidget(self.page)
        split.setStretchFactor(1, 3)
        split.setChildrenCollapsible(False)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(split)
