"""The log as files: five of a megabyte, the oldest is dropped. A full disk stops the file and nothing else."""

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.log_lines import SafeFormatter

NAME = "sptrader.log"
LARGEST = 1 << 20
OLDER = 4


class LogFile(RotatingFileHandler):
    def __init__(self, path: Path, largest: int = LARGEST) -> None:
        super().__init__(path, maxBytes=largest, backupCount=OLDER, encoding="utf-8", errors="replace")
        self.setFormatter(SafeFormatter())
        self._has_failed = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - logging's own
        """Said once, where no log is needed to read it; later lines are tried again."""
        if not self._has_failed:
            self._has_failed = True
            sys.stderr.write(f"sptrader: {self.baseFilename}: the log could not be written ({sys.exc_info()[1]})\n")


def open_log(folder: Path) -> LogFile:
    """To be added to the root logger."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return LogFile(folder / NAME)
    except OSError as error:
        raise DataError(f"{folder}: no log can be kept there ({error.strerror}): name another place with SPTRADER_LOGS") from None
