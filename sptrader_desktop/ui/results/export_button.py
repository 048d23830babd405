"""The button that takes a run elsewhere: a page to read, a table of its trades, or all of it for others."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton, QWidget

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.ui.results.background import Background

# The kind and the place; what cannot be written raises SptraderError or OSError.
Export = Callable[[str, Path], None]


class Kind(NamedTuple):
    name: str
    text: str
    suffix: str
    files: str


KINDS = (
    Kind("html", "Report as a page …", "html", "Pages (*.html)"),
    Kind("csv", "Trades as CSV …", "csv", "CSV (*.csv)"),
    Kind("bundle", "Whole run as a bundle …", "sptrun", "Bundles of runs (*.sptrun)"),
)


class ExportButton(QPushButton):
    """Asks for a place and writes beside the window; `said` tells how it went."""

    said = Signal(str, bool)  # a sentence, and whether it went well

    def __init__(self, export: Export, run: Callable[[], str], parent: QWidget | None = None) -> None:
        super().__init__("Export", parent)
        self.setObjectName("exportRunButton")
        self.setAccessibleName("Export the run")
        self.setToolTip("Write this run as a page, as a table of trades, or as a bundle that others can verify")
        self._export, self._run = export, run
        self._background = Background(self)
        menu = QMenu(self)
        menu.setObjectName("exportRunMenu")
        for kind in KINDS:
            action = menu.addAction(kind.text, partial(self._ask, kind))
            action.setObjectName(f"export_{kind.name}")
        self.setMenu(menu)

    def _ask(self, kind: Kind) -> None:
        dialog = QFileDialog(self.window(), kind.text.rstrip(" …"), f"{self._run() or 'run'}.{kind.suffix}", kind.files)
        dialog.setObjectName("exportRunDialog")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(kind.suffix)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.write(kind.name, Path(path)))
        dialog.open()

    def write(self, kind: str, path: Path) -> None:
        self.setEnabled(False)
        self._background.run(partial(self._attempt, kind, path), self._tell)

    def _attempt(self, kind: str, path: Path) -> tuple[str, bool]:
        try:
            self._export(kind, path)
        except (SptraderError, OSError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            return f"{path.name} was not written: {why}. Nothing was changed there; choose another place.", False
        return f"Written to {path}", True

    def _tell(self, how: tuple[str, bool]) -> None:
        self.setEnabled(True)
        self.said.emit(*how)
