"""The window's desk: what `compose` can do, with what was read kept at hand so that the second click costs nothing twice."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sptrader_desktop import compose, compose_components, compose_data, compose_runs, compose_servers, compose_window
from sptrader_desktop.adapters.json_documents import JsonDocuments
from sptrader_desktop.app.heeded import heeded
from sptrader_desktop.compose_candles import CandleSets, candles_around, recipe_candles
from sptrader_desktop.compose_components import Heed
from sptrader_desktop.core.errors import DataError, RunError, SptraderError
from sptrader_desktop.core.instruments import CATALOGUE, Instrument
from sptrader_desktop.ports import LivePrices, RunStore
from sptrader_desktop.present.component_output import ComponentReport
from sptrader_desktop.present.navigator import Item, Kind, component_item, dataset_item, run_item, strategy_item
from sptrader_desktop.present.run_compare import KeptRun, read_run
from sptrader_desktop.present.run_form import is_elsewhere
from sptrader_desktop.present.strategy_text import StrategyText
from sptrader_desktop.present.text_problems import TextProblem
from sptrader_desktop.present.watchlist import Watched, watched_of
from sptrader_desktop.present.what_if import with_parameters, without_place
from sptrader_desktop.runtime.indicator_curves import Curve, curves_of, indicator_curves
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.runtime.recipe_values import overrides
from sptrader_desktop.runtime.source_states import State, source_states
from sptrader_desktop.settings import Settings
from sptrader_desktop.ui.data.data_desk import POSTGRES
from sptrader_desktop.ui.desk import Finished, Series

if TYPE_CHECKING:
    from sptrader_desktop.core.candles import Candles
    from sptrader_desktop.core.components import Catalogue
    from sptrader_desktop.core.explained import Explanation
    from sptrader_desktop.core.results import Result
    from sptrader_desktop.core.simulation import Progress
    from sptrader_desktop.core.strategy import Scalar, Strategy

LOG = logging.getLogger("sptrader.desk")
# So many sets of candles stay in memory; ten million bars take half a gigabyte, so not many.
KEPT = 4
WAIT_S = 0.1
SILENCE_S = 60.0  # so long a database that gave no answer is left alone


class WindowDesk:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._documents, self._runs = JsonDocuments(settings.preferences.parent), compose.run_store(settings)
        self._candle_settings, self._silent_until = settings, 0.0
        self._guard, self._warm = threading.Lock(), threading.Event()
        self._is_ready = False
        self._catalogue: tuple[tuple[State, ...], Catalogue] | None = None
        self._texts: OrderedDict[str, tuple[Catalogue, StrategyText]] = OrderedDict()
        self._candles: OrderedDict[object, CandleSets] = OrderedDict()
        self._watched: dict[Series, tuple[object, Watched]] = {}
        self._instruments_file = ""
        self._instruments: tuple[object, Mapping[str, Instrument]] = (None, CATALOGUE)

    def _workspace(self) -> Path:
        """Brought up to date once: it takes a look into every file that came with the program."""
        with self._guard:
            if not self._is_ready:
                compose_components.ready_workspace(self._settings)
                self._is_ready = True
        return self._settings.workspace

    def warm_up(self, heed: Heed = lambda: None) -> None:
        """Load the engine before it is asked for. To compile it, once, is left to another process: it would hold the window."""
        try:
            if not compose_window.is_engine_compiled(self._settings):
                compose_window.compile_engine(self._settings, heed)
            compose_window.load_engine(self._settings)
        finally:
            self._warm.set()  # what went wrong is told by the run that needs it

    def wait_for_engine(self, waiting: Callable[[], object]) -> None:
        while not self._warm.wait(WAIT_S):
            waiting()

    def use_database(self, address: str) -> None:
        """Candles of PostgreSQL come from there until the program ends."""
        self._candle_settings, self._silent_until = replace(self._settings, database_url=address), 0.0

    def catalogue(self) -> "Catalogue":
        workspace = self._workspace()
        state = source_states(workspace / "core")
        with self._guard:
            if self._catalogue is None or self._catalogue[0] != state:
                self._catalogue = state, compose_components.components(workspace)
            return self._catalogue[1]

    def strategies(self) -> Sequence[Path]:
        folder = self._workspace() / "strategies"
        return sorted(path for path in folder.rglob("*.y*ml") if path.is_file())

    def series(self) -> Sequence[Series]:
        files = sorted((self._workspace() / "data").glob("*.*"))
        of_files = [_of_file(path) for path in files if path.suffix in {".parquet", ".csv"}]
        kept: list[Series] = []
        try:
            held = compose_data.catalogue(self._settings).datasets()
            kept = list(dict.fromkeys(Series(item.symbol, item.timeframe, source="catalogue") for item in held))  # of all sides one
        except (
            SptraderError
        ) as error:  # a catalogue that cannot be read must not keep the files from being seen, nor the window from opening
            LOG.error("the catalogue of candles: %s", error)
        return [*(item for item in of_files if item), *kept]

    def _of_database(self) -> Sequence[Series]:
        """Of the one that was connected to, or that DATABASE_URL names; what it does not tell hides nothing else, and who does not answer
        is not waited for at every look."""
        is_in_use = self._candle_settings is not self._settings or self._settings.database_url
        if not is_in_use or time.monotonic() < self._silent_until:
            return ()
        try:
            with closing(compose_servers.open_postgres(self._candle_settings)) as store:
                return tuple(dict.fromkeys(Series(item.symbol, item.timeframe, source=POSTGRES) for item in store.datasets()))
        except SptraderError as error:
            self._silent_until = time.monotonic() + SILENCE_S
            LOG.warning("what the database holds is not in the list: %s", error)
            return ()

    def candles(self, series: Series, heed: Heed = lambda: None) -> "Candles":
        recipe = self._recipe_of(series)
        found = self._candles_of(recipe, heed)[0][0]
        if series.side in ("", found.side):
            return found
        if series.source != "catalogue":
            raise DataError(f"{series.label}: it hands out its {found.side} candles in place of its {series.side} ones: choose those")
        return compose_data.kept_series(self._settings, series.symbol, series.timeframe, series.side, recipe.instruments)

    def watched(self, series: Series) -> Watched:
        recipe = self._recipe_of(series)
        key = _candles_key(recipe)
        with self._guard:
            before, at_hand = self._watched.get(series), self._candles.get(key)
        if before is not None and before[0] == key and series.path:
            return before[1]
        found = watched_of((at_hand or recipe_candles(recipe, self._candle_settings))[0][0], series.timeframe)
        with self._guard:
            self._watched[series] = key, found
        return found

    def _recipe_of(self, series: Series) -> Recipe:
        """A file of one's own instruments that is broken keeps only its symbols from being seen."""
        own = self._instruments_file
        try:
            self.instruments()
        except DataError:
            own = "" if series.symbol in CATALOGUE else own
        if series.path:
            return Recipe("", data=(series.path,), resample=series.resample, instruments=own)
        named: dict[str, Any] = {"symbols": (series.symbol,), "timeframe": series.timeframe, "resample": series.resample}
        return Recipe("", source=series.source, instruments=own, **named)

    def use_instruments(self, path: str) -> None:
        self._instruments_file = path

    def instruments(self) -> "Mapping[str, Instrument]":
        path = self._instruments_file
        state = _file_state(Path(path)) if path else None
        if self._instruments[0] != state:
            self._instruments = state, compose_data.known_instruments(path)
        return self._instruments[1]

    def check(self, text: str, name: str, params: Sequence[str] = ()) -> "Strategy":
        return self._read(text, name, params, self.catalogue(), text)

    def examine(self, text: str) -> StrategyText:
        """What is asked again and again of the same text is examined once."""
        catalogue = self.catalogue()
        with self._guard:
            at_hand = self._texts.get(text)
        known = at_hand[1] if at_hand is not None and at_hand[0] is catalogue else compose_window.examined(text, catalogue)
        with self._guard:
            self._texts[text] = catalogue, known
            self._texts.move_to_end(text)
            while len(self._texts) > KEPT:
                self._texts.popitem(last=False)
        return known

    def examine_run(self, finished: Finished) -> StrategyText:
        return self.examine(with_parameters(self.examine(finished.text), overrides(finished.recipe.params)))

    def _read(self, text: str, name: str, params: Sequence[str], catalogue: "Catalogue", like: str) -> "Strategy":
        """`like` is a text that may have been examined before."""
        with self._guard:
            known = self._texts.get(like)
        return compose_window.strategy_in(text, name, catalogue, params, known[1] if known else None)

    def backtest(self, recipe: Recipe, text: str, report: "Callable[[Progress], None] | None" = None, heed: Heed | None = None) -> Finished:
        return self._made(recipe, text, self._candles_of(recipe, heed or (lambda: None)), report, heed)

    def _made(
        self, recipe: Recipe, text: str, candles: CandleSets, report: "Callable[[Progress], None] | None", heed: Heed | None
    ) -> Finished:
        read = compose.StrategyRead(self.check(text, recipe.strategy, recipe.params), text, self.catalogue())
        prepared = compose.prepare(recipe, self._settings, read, candles, heed)
        result, manifest = compose.run_result(prepared, report)
        return Finished(recipe, text, result, manifest, files=_files(recipe, read.strategy, read.catalogue))

    def changed_since(self, finished: Finished) -> str:
        request, recipe = finished.result.request, finished.recipe
        try:
            before = request.traded, request.rates, dict(request.finer)
            candles = candles_around(recipe, before) if is_elsewhere(recipe.source) else self._candles_of(recipe)
        except (DataError, RunError):
            return "its candles cannot be read any more"
        return compose_window.changed_since(self._settings, request, finished.text, finished.manifest, candles, self.catalogue())

    def what_if(self, finished: Finished, text: str, heed: Heed | None = None) -> "Result":
        catalogue = self.catalogue()
        given = without_place(self.examine(finished.text), finished.recipe.params)
        strategy = self._read(text, finished.recipe.strategy, given, catalogue, finished.text)
        return compose_window.what_if(self._settings, finished.result, strategy, catalogue, heed)

    def curves(self, result: "Result", symbol: str, heed: Heed | None = None) -> Sequence[Curve]:
        catalogue = self.catalogue()
        runner = compose_components.component_runner(self._settings, catalogue, heed)
        return indicator_curves(result.request.strategy, compose.traded_candles(result, symbol), catalogue, runner)

    def keep(self, finished: Finished) -> str:
        return compose_window.keep_result(self._runs, finished.recipe, finished.text, finished.result, finished.manifest)

    def explain(self, result: "Result", symbol: str, stamp: int) -> "Explanation":
        return compose.explained(result, symbol, stamp)

    # What there is

    @property
    def runs(self) -> RunStore:
        return self._runs

    def items(self) -> Sequence[Item]:
        workspace = self._workspace()
        found = [strategy_item(path, workspace / "strategies") for path in self.strategies()]
        found += [component_item(dotted, spec, workspace / "core") for dotted, spec in self.catalogue().found.items()]
        with suppress(SptraderError):
            series = (*self.series(), *self._of_database())
            found += [dataset_item(item.symbol, item.timeframe, item.path, item.source) for item in series]
        with suppress(SptraderError):
            found += [run_item(run) for run in self.runs.list()]
        return found

    def folders(self) -> Sequence[Path]:
        workspace = self._workspace()
        return [workspace / "strategies", workspace / "core" / "indicators", workspace / "core" / "signals", workspace / "data"]

    def home_of(self, kind: Kind) -> Path:
        workspace = self._settings.workspace
        return {Kind.STRATEGY: workspace / "strategies", Kind.SIGNAL: workspace / "core" / "signals"}.get(
            kind, workspace / "core" / "indicators" / "mine"
        )

    # Components by hand

    def examine_component(self, text: str, path: Path) -> tuple[TextProblem, ...]:
        return compose_components.examined_component(text, path, self.catalogue())

    def run_component(self, path: Path, params: Sequence[str], series: Series, heed: Heed | None = None) -> ComponentReport:
        candles = self.candles(series, heed or (lambda: None))
        return compose_components.component_tried(self._settings, self.catalogue(), path, params, candles, heed)

    def verify_component(self, path: Path, params: Sequence[str], series: Series, heed: Heed | None = None) -> ComponentReport:
        candles = self.candles(series, heed or (lambda: None))
        return compose_components.component_verified(self._settings, self.catalogue(), path, params, candles, heed)

    def indicator(self, dotted: str, params: "Mapping[str, Scalar]", candles: "Candles", heed: Heed | None = None) -> Sequence[Curve]:
        catalogue = self.catalogue()
        return curves_of(catalogue.indicator(dotted), params, candles, compose_components.component_runner(self._settings, catalogue, heed))

    # What a person gathers, and live prices

    @property
    def documents(self) -> JsonDocuments:
        return self._documents

    def live_prices(self) -> LivePrices:
        try:
            known = self.instruments()
        except DataError as error:
            LOG.warning("live prices are of what is built in alone: %s", error)
            known = CATALOGUE
        return compose_servers.open_live_prices(self._settings, known)

    # Kept runs

    def open_run(self, run_id: str, report: "Callable[[Progress], None] | None" = None, heed: Heed | None = None) -> Finished:
        stored = self.runs.load(run_id)
        recipe = compose.recipe_of(stored)
        candles = compose_runs.own_bars(stored, self._candles_of(recipe, heed or (lambda: None)))
        made = self._made(recipe, stored.strategy_text, candles, report, heed)
        compose_runs.require_alike(self.runs, stored, made.result, made.manifest)
        return replace(made, run_id=stored.id)

    def compared(self, run_ids: Sequence[str]) -> Sequence[KeptRun]:
        return [read_run(self.runs, run_id) for run_id in run_ids]

    def export(self, run_id: str, kind: str, out: Path) -> None:
        compose_runs.export_run(self._settings, run_id, kind, out, over=True)

    def _candles_of(self, recipe: Recipe, heed: Heed = lambda: None) -> CandleSets:
        if recipe.source:  # those of a source may change unseen
            return heeded(partial(recipe_candles, recipe, self._candle_settings), heed)
        key = _candles_key(recipe)
        with self._guard:
            known = self._candles.get(key)
        found = known or recipe_candles(recipe, self._candle_settings)
        with self._guard:
            self._candles[key] = found
            self._candles.move_to_end(key)
            while len(self._candles) > KEPT:
                self._candles.popitem(last=False)
        return found


def _of_file(path: Path) -> Series | None:
    """By its name alone, as the command line does: reading every file would make the list slow."""
    symbol, _, rest = path.stem.partition("_")
    timeframe = rest.partition("_")[0]
    return Series(symbol.upper(), timeframe, str(path)) if timeframe and timeframe[0].isdigit() else None


def _file_state(path: Path) -> tuple[str, int, int]:
    """Changes when the file does."""
    try:
        state = path.stat()
    except OSError:
        return str(path), 0, 0
    return str(path), state.st_mtime_ns, state.st_size


def _candle_files(recipe: Recipe) -> list[Path]:
    files = (*recipe.data, *recipe.ask, *recipe.finer, *recipe.finer_ask, *recipe.rates, recipe.instruments, recipe.financing)
    return [Path(file) for file in files if file]


def _files(recipe: Recipe, strategy: "Strategy", catalogue: "Catalogue") -> tuple[Path, ...]:
    """What a run depends on and a person may edit."""
    signals = [catalogue.signal(use.component) for use in strategy.signals]
    indicators = [catalogue.indicator(required.type) for signal in signals for required in signal.required_indicators]
    return Path(recipe.strategy), *_candle_files(recipe), *(Path(spec.source) for spec in (*signals, *indicators))


def _candles_key(recipe: Recipe) -> object:
    """What decides the candles of a recipe, the state of its files included."""
    return (
        (recipe.symbol, recipe.timeframe, recipe.resample, recipe.start, recipe.end),
        tuple(map(len, (recipe.data, recipe.ask, recipe.finer, recipe.finer_ask, recipe.rates))),
        bool(recipe.instruments),
        tuple(_file_state(path) for path in _candle_files(recipe)),
    )
