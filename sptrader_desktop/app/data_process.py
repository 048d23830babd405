"""The Data page's desk as the window has it: everything that takes time is done by `app/data_child` in a process of its own."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sptrader_desktop.runtime.far_process import FarProcess
from sptrader_desktop.settings import Settings

if TYPE_CHECKING:
    from sptrader_desktop.app.data_desk import WindowDataDesk
    from sptrader_desktop.present.database_address import ServerTold
    from sptrader_desktop.present.datasets import DatasetRow
    from sptrader_desktop.present.doctor import Doctored, RepairDone
    from sptrader_desktop.present.import_form import ImportAnswers, ImportPreview
    from sptrader_desktop.ui.data.data_desk import DownloadAsked, Report

CALLED = "the process that reads candle files"


class ProcessDataDesk:
    """`use_elsewhere` hears of the database that is in use, for whoever reads candles of it."""

    def __init__(self, settings: Settings, use_elsewhere: Callable[[str], object] = lambda _: None) -> None:
        self._settings, self._use_elsewhere = settings, use_elsewhere
        self._shown: str | None = None
        self.process = FarProcess("sptrader_desktop.app.data_child", CALLED, lambda: self._settings)

    @cached_property
    def _here(self) -> "WindowDataDesk":
        """Made when the Data page asks: it knows all that can be done to candle files."""
        from sptrader_desktop.app.data_desk import WindowDataDesk

        return WindowDataDesk(self._settings)

    def close(self) -> None:
        self.process.close()

    def folder(self) -> Path:
        return self._here.folder()

    def symbols(self) -> Sequence[str]:
        return self._here.symbols()

    def database(self) -> str:
        return self._here.database() if self._shown is None else self._shown

    def datasets(self, report: "Report") -> "Sequence[DatasetRow]":
        found: Sequence[DatasetRow] = self.process.call("datasets", report=report)
        return found

    def preview(self, path: Path, answers: "ImportAnswers", report: "Report") -> "ImportPreview":
        found: ImportPreview = self.process.call("preview", path, answers, report=report)
        return found

    def keep(self, preview: "ImportPreview", place: str, replace: bool) -> str:
        return str(self.process.call("keep", preview, place, replace))

    def inspect(self, row: "DatasetRow") -> "Doctored":
        found: Doctored = self.process.call("inspect", row)
        return found

    def repair(self, path: str, out: str, fixes: Sequence[str], zone: str, shift: str) -> "RepairDone":
        done: RepairDone = self.process.call("repair", path, out, fixes, zone, shift)
        return done

    def remove(self, row: "DatasetRow") -> str:
        return str(self.process.call("remove", row))

    def resample(self, row: "DatasetRow", timeframe: str, place: str, replace: bool) -> str:
        return str(self.process.call("resample", row, timeframe, place, replace))

    def download(self, asked: "DownloadAsked", report: "Report") -> str:
        return str(self.process.call("download", asked, report=report))

    def test_database(self, address: str) -> "ServerTold":
        told: ServerTold = self.process.call("test_database", address)
        return told

    def use_database(self, address: str) -> str:
        """A process that is started later uses it too."""
        self._shown = str(self.process.call("use_database", address))
        self._settings = replace(self._settings, database_url=address)
        self._use_elsewhere(address)
        return self._shown

    def load(self, paths: Sequence[Path], report: "Report") -> Sequence[str]:
        told: Sequence[str] = self.process.call("load", paths, report=report)
        return told
