"""What the window asks of the program. Widgets know this protocol only; `app` fulfils it with what `compose` chooses.

Every method may take its time and is called on a job's thread; what it returns is never changed afterwards.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.ports import LivePrices, RunStore
from sptrader_desktop.present.component_output import ComponentReport
from sptrader_desktop.present.navigator import Item, Kind
from sptrader_desktop.present.run_compare import KeptRun
from sptrader_desktop.present.run_form import ELSEWHERE
from sptrader_desktop.present.strategy_text import StrategyText
from sptrader_desktop.present.text_problems import TextProblem
from sptrader_desktop.present.watchlist import Watched
from sptrader_desktop.runtime.indicator_curves import Curve
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.ui.kept_value import DocumentStore

if TYPE_CHECKING:
    from sptrader_desktop.core.components import Catalogue
    from sptrader_desktop.core.explained import Explanation
    from sptrader_desktop.core.results import Result
    from sptrader_desktop.core.simulation import Progress
    from sptrader_desktop.core.strategy import Scalar, Strategy


@dataclass(frozen=True, slots=True)
class Series:
    """Candles to look at or to run on: a file, or what a source such as the catalogue holds, of its sides the usual one or `side`; with
    `resample` longer ones made of them."""

    symbol: str
    timeframe: str
    path: str = ""
    source: str = ""
    side: str = ""
    resample: str = ""

    @property
    def label(self) -> str:
        made = f"{self.resample} of {self.timeframe}" if self.resample not in {"", self.timeframe} else self.timeframe
        return f"{self.symbol} {made} · {Path(self.path).name if self.path else self.source}"


def series_of_key(key: str) -> Series | None:
    """Of which candles a key of the navigator is, though it lists them no more; nothing where it is no such key."""
    source, _, rest = key.partition(":")
    words = (Path(rest).stem.replace("_", " ") if not source else rest).split()
    return Series(words[0].upper(), words[1], "" if source else rest, source) if len(words) > 1 else None


def missing_words(series: Series) -> str:
    """Why candles are in no list, and the step that brings them back."""
    if series.path:
        return f"{series.path} is not there any more: put the file back, or close this chart"
    if series.source in ELSEWHERE:
        return f"{series.label}: candles of others are asked for when you want them"
    if series.source == "catalogue":
        return "The catalogue does not hold them any more: import or make them again on the Data page, or close this chart"
    return "The database is not connected, or does not hold them any more: connect to it on the Data page, or close this chart"


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """A run that is done, as it was asked for; `manifest` is what went into it."""

    recipe: Recipe
    text: str
    result: "Result"
    manifest: dict[str, Any]
    run_id: str = ""  # under which it is kept, when it was opened and not made
    files: tuple[Path, ...] = ()  # what it was made of and a person may edit


# Called while components are waited for; raises Cancelled when somebody asked for the stop.
Heed = Callable[[], object]


class Desk(Protocol):
    @property
    def runs(self) -> RunStore:
        """Those that are kept."""
        ...

    @property
    def documents(self) -> DocumentStore:
        """What a person gathers beside their settings."""
        ...

    def items(self) -> Sequence[Item]:
        """Everything there is to open; what cannot be listed is left out."""
        ...

    def folders(self) -> Sequence[Path]:
        """Those in which what a person edits lies."""
        ...

    def home_of(self, kind: Kind) -> Path:
        """Where a new file of that kind belongs."""
        ...

    def examine_component(self, text: str, path: Path) -> tuple[TextProblem, ...]: ...

    def run_component(self, path: Path, params: Sequence[str], series: Series, heed: Heed | None = None) -> ComponentReport: ...

    def verify_component(self, path: Path, params: Sequence[str], series: Series, heed: Heed | None = None) -> ComponentReport: ...

    def open_run(self, run_id: str, report: "Callable[[Progress], None] | None" = None, heed: Heed | None = None) -> Finished:
        """A kept run, made again from what it was made from; RunError when it comes out otherwise."""
        ...

    def compared(self, run_ids: Sequence[str]) -> Sequence[KeptRun]: ...

    def export(self, run_id: str, kind: str, out: Path) -> None:
        """`html`, `csv` or `bundle`."""
        ...

    def catalogue(self) -> "Catalogue":
        """The components there are; files that were edited are read again."""
        ...

    def strategies(self) -> Sequence[Path]: ...

    def series(self) -> Sequence[Series]: ...

    def candles(self, series: Series, heed: Heed = lambda: None) -> Candles: ...

    def watched(self, series: Series) -> Watched:
        """Its last prices, of its usual side; what was read for charts and runs stays at hand."""
        ...

    def instruments(self) -> Mapping[str, Instrument]:
        """What is built in, under it those of one's own; DataError says what is wrong with their file."""
        ...

    def use_instruments(self, path: str) -> None:
        """A file of one's own instruments, or none; for everything that is not a run, which names its own."""
        ...

    def indicator(self, dotted: str, params: "Mapping[str, Scalar]", candles: Candles, heed: Heed | None = None) -> Sequence[Curve]:
        """ComponentError says what is wrong with it."""
        ...

    def live_prices(self) -> LivePrices:
        """Starts a server where there is none; DataError where none can be had."""
        ...

    def check(self, text: str, name: str) -> "Strategy":
        """StrategyError names every problem at once."""
        ...

    def examine(self, text: str) -> StrategyText:
        """What an editor wants to know of a text; it never raises."""
        ...

    def examine_run(self, finished: Finished) -> StrategyText:
        """The text that ran, with the parameters that its run was given written into it."""
        ...

    def wait_for_engine(self, waiting: Callable[[], object]) -> None:
        """Until it is loaded, or compiled for this computer; `waiting` is called again and again and may raise Cancelled."""
        ...

    def backtest(
        self, recipe: Recipe, text: str, report: "Callable[[Progress], None] | None" = None, heed: Heed | None = None
    ) -> Finished: ...

    def changed_since(self, finished: Finished) -> str:
        """What is another on the disk than when the run was made, its strategy excepted; empty where nothing is. Servers of others are
        not asked again."""
        ...

    def what_if(self, finished: Finished, text: str, heed: Heed | None = None) -> "Result":
        """Another text, as it stands, over the same candles and terms, at once and not kept; components are not tried for honesty again."""
        ...

    def curves(self, result: "Result", symbol: str, heed: Heed | None = None) -> Sequence[Curve]:
        """What the signals looked at."""
        ...

    def keep(self, finished: Finished) -> str:
        """The id under which the run is found again."""
        ...

    def explain(self, result: "Result", symbol: str, stamp: int) -> "Explanation": ...
