"""Says which version this is, what it is made of, and under which licences."""

from PySide6.QtCore import Qt, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from sptrader_desktop.present.diagnostics import Library, heading, libraries, licence_text
from sptrader_desktop.ui.theme.asset_files import ASSETS
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID

# What is drawn with and came with the program, and where its licence lies among the assets.
BUNDLED = {
    Library("Inter", "font", "SIL Open Font License 1.1"): "fonts/Inter-LICENSE.txt",
    Library("JetBrains Mono", "font", "SIL Open Font License 1.1"): "fonts/JetBrainsMono-LICENSE.txt",
    Library("Lucide", "icons", "ISC"): "icons/LICENSE.txt",
}


class AboutDialog(QDialog):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("aboutDialog")
        self.setWindowTitle("About SPtrader")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        first, *others = heading()
        self._title, self._where = QLabel(first), QLabel("\n".join([*others, f"Qt {qVersion()} ({QGuiApplication.platformName()})"]))
        give(self._title, role="title")
        give(self._where, role="muted")
        self._where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._tree, self._text = QTreeWidget(), QPlainTextEdit()
        self._fill_tree()
        self._text.setObjectName("licenceText")
        self._text.setAccessibleName("Licence")
        self._text.setReadOnly(True)
        self._text.setFont(look().font(fixed=True))
        self._lay_out()
        self._tree.currentItemChanged.connect(self._show_licence)
        self._tree.setCurrentIndex(self._tree.model().index(0, 0))

    def _fill_tree(self) -> None:
        self._tree.setObjectName("librariesTree")
        self._tree.setAccessibleName("What the program is made of")
        self._tree.setRootIsDecorated(False)
        self._tree.setUniformRowHeights(True)
        self._tree.setHeaderLabels(["Made with", "Version", "Licence"])
        for library in (*BUNDLED, *libraries()):
            self._tree.addTopLevelItem(QTreeWidgetItem([library.name, library.version, library.licence]))
        for column in range(2):
            self._tree.resizeColumnToContents(column)
        self._tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._tree.setAllColumnsShowFocus(True)

    def _lay_out(self) -> None:
        copy, close = QPushButton("&Copy Versions"), QPushButton("Close")
        copy.setObjectName("copyVersionsButton")
        copy.setAccessibleName("Copy Versions")
        copy.clicked.connect(self._copy)
        close.setObjectName("closeAboutButton")
        close.setAccessibleName("Close")
        close.setDefault(True)
        give(close, role="primary")
        close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.addWidget(copy)
        buttons.addStretch(1)
        buttons.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * GRID, 4 * GRID, 4 * GRID, 4 * GRID)
        column.setSpacing(3 * GRID)
        for widget, stretch in ((self._title, 0), (self._where, 0), (self._tree, 3), (self._text, 2)):
            column.addWidget(widget, stretch)
        column.addLayout(buttons)
        self.resize(160 * GRID, 150 * GRID)

    def _show_licence(self) -> None:
        item = self._tree.currentItem()
        name = item.text(0) if item else ""
        bundled = next((place for library, place in BUNDLED.items() if library.name == name), "")
        text = (ASSETS / bundled).read_text(encoding="utf-8") if bundled else licence_text(name)
        self._text.setPlainText(text or f"{name} comes without the text of its licence ({item.text(2) if item else ''}).")

    def _copy(self) -> None:
        rows = [f"{library.name} {library.version}" for library in libraries()]
        QGuiApplication.clipboard().setText("\n".join([self._title.text(), self._where.text(), *rows]))
