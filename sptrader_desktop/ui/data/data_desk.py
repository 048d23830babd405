"""What the Data page asks of the program. Widgets know this protocol only; `app` fulfils it with what `compose_data` offers.

Every method may take its time and is called on a job's thread. `report` hears fractions and words, and raises Cancelled to stop the work.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sptrader_desktop.present.database_address import ServerTold
    from sptrader_desktop.present.datasets import DatasetRow
    from sptrader_desktop.present.doctor import Doctored, RepairDone
    from sptrader_desktop.present.import_form import ImportAnswers, ImportPreview

Report = Callable[[float, str], None]
CATALOGUE, FOLDER, POSTGRES = "catalogue", "folder", "postgres"


@dataclass(frozen=True, slots=True)
class DownloadAsked:
    """`timeframe` may be `tick`; `start` and `end` are days or times as typed; `address` is a mirror of the vendor's files."""

    vendor: str
    symbol: str
    timeframe: str
    start: str
    end: str
    address: str = ""
    place: str = CATALOGUE
    replace: bool = False


class DataDesk(Protocol):
    def folder(self) -> Path:
        """Where the candle files of the workspace are."""
        ...

    def symbols(self) -> Sequence[str]: ...

    def database(self) -> str:
        """The address by which PostgreSQL is used, without its password; nothing while none is in use."""
        ...

    def datasets(self, report: Report) -> "Sequence[DatasetRow]": ...

    def preview(self, path: Path, answers: "ImportAnswers", report: Report) -> "ImportPreview": ...

    def keep(self, preview: "ImportPreview", place: str, replace: bool) -> str:
        """What was kept and where. Without `replace` bars of the catalogue that differ are refused; a database always replaces them."""
        ...

    def inspect(self, row: "DatasetRow") -> "Doctored": ...

    def repair(self, path: str, out: str, fixes: Sequence[str], zone: str, shift: str) -> "RepairDone": ...

    def remove(self, row: "DatasetRow") -> str:
        """From the catalogue; what was deleted, in a sentence."""
        ...

    def resample(self, row: "DatasetRow", timeframe: str, place: str, replace: bool) -> str: ...

    def download(self, asked: DownloadAsked, report: Report) -> str: ...

    def test_database(self, address: str) -> "ServerTold":
        """An empty address is the program's own server, which is started."""
        ...

    def use_database(self, address: str) -> str:
        """From now on and until the program ends; where that is. Its tables are made if they are missing."""
        ...

    def load(self, paths: Sequence[Path], report: Report) -> Sequence[str]:
        """Candle files into the database in use; a sentence for each, and DataError at the first that is wrong."""
        ...
