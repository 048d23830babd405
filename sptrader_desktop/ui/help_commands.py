"""What the Help menu does: about, the folders, and diagnostics to send to somebody who can help."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.runtime.whole_files import write_whole
from sptrader_desktop.settings import Settings
from sptrader_desktop.ui.host import Host
from sptrader_desktop.ui.jobs import Job

LOG_TAIL = 5_000


class HelpCommands:
    """`say` shows one sentence to the person, when something was done; what fails is told by the host."""

    def __init__(self, host: Host, settings: Settings, window: QWidget, say: Callable[[str], object]) -> None:
        self._host, self._settings, self._window, self._say = host, settings, window, say

    def about(self) -> None:
        from sptrader_desktop.ui.about import AboutDialog

        AboutDialog(self._window).open()

    def open_log_folder(self) -> None:
        self._open(self._settings.logs)

    def open_data_folder(self) -> None:
        self._open(self._settings.workspace)

    def save_diagnostics(self) -> None:
        """Ask for the place, then write there."""
        dialog = QFileDialog(
            self._window, "Save diagnostics", str(Path.home() / f"sptrader-diagnostics-{datetime.now(UTC):%Y%m%d-%H%M}.zip")
        )
        dialog.setObjectName("saveDiagnosticsDialog")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter("ZIP files (*.zip)")
        dialog.setDefaultSuffix("zip")
        dialog.fileSelected.connect(lambda name: self.write_diagnostics(Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def write_diagnostics(self, path: Path) -> Job:
        """Beside the window: to list all that is installed takes a moment."""
        from sptrader_desktop.present.diagnostics import diagnostics_zip

        failures, log, facts = self._host.failures.said.value, self._host.log.tail(LOG_TAIL), self._host.facts()
        write = partial(_write, path, lambda: diagnostics_zip(failures, log, self._settings, facts))
        job = self._host.jobs.start("diagnostics", "saving the diagnostics", lambda _report: write())
        job.finished.connect(lambda _: self._say(f"The diagnostics are in {path}. Look through them before you send them."))
        return job

    def _open(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._host.tell(error, f"opening {folder}")
            return
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self._say(f"This computer has no program for folders; this one is {folder}")


def _write(path: Path, content: Callable[[], bytes]) -> None:
    try:
        write_whole(path, content())
    except OSError as error:
        raise DataError(f"{path}: the diagnostics could not be written ({error.strerror}): choose another place") from None
