"""Users' components: where they lie, which workers run them, one of them run by hand."""

import atexit
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sptrader_desktop.core.errors import ComponentError, RunError
from sptrader_desktop.runtime.recipe_values import overrides
from sptrader_desktop.settings import Settings, shipped

if TYPE_CHECKING:
    import asyncio

    from sptrader_desktop.adapters.pooled_components import Host, Workers
    from sptrader_desktop.core.candles import Candles
    from sptrader_desktop.core.components import Catalogue, ComponentSpec
    from sptrader_desktop.ports import Answer, ComponentRunner
    from sptrader_desktop.present.component_output import ComponentReport
    from sptrader_desktop.present.text_problems import TextProblem
    from sptrader_desktop.runtime.honesty import HonestyGate
    from sptrader_desktop.runtime.honesty_judge import Verdict
    from sptrader_desktop.runtime.worker_process import StartWorker


# Called while components are waited for; raises Cancelled when somebody asked for the stop.
Heed = Callable[[], object]

# The workers of this process, by the folder of their cache.
_OPEN: "dict[Path, Workers]" = {}


@dataclass(frozen=True, slots=True)
class ComponentRun:
    spec: "ComponentSpec"
    candles: "Candles"
    answer: "Answer"


def ready_workspace(settings: Settings) -> Path:
    from sptrader_desktop.runtime.workspace import fill_workspace

    fill_workspace(settings.workspace, {".": shipped("workspace"), "strategies": shipped("strategies")})
    return settings.workspace


def components(workspace: Path) -> "Catalogue":
    from sptrader_desktop.adapters.component_catalogue import load_catalogue

    return load_catalogue(workspace)


def component_runner(settings: Settings, catalogue: "Catalogue", heed: Heed | None = None) -> "ComponentRunner":
    """One catalogue's components on the workers of this process; none of them starts before something must be computed."""
    from sptrader_desktop.adapters.pooled_components import PooledRunner
    from sptrader_desktop.runtime.logged_components import LoggedComponents

    return LoggedComponents(PooledRunner(_workers(settings.component_cache), catalogue, heed))


def _workers(cache_folder: Path) -> "Workers":
    if cache_folder not in _OPEN:
        from sptrader_desktop.adapters.asyncio_workers import start_worker
        from sptrader_desktop.runtime.loop_thread import LoopThread

        _OPEN[cache_folder] = workers = _made(start_worker, LoopThread(), cache_folder)
        atexit.register(workers.close)
    return _OPEN[cache_folder]


def window_workers(settings: Settings, loop: "asyncio.AbstractEventLoop") -> "Workers":
    """From now on components run in processes that belong to the window's loop; who ends the loop awaits `end_window_workers` first."""
    from sptrader_desktop.adapters.qprocess_workers import start_worker
    from sptrader_desktop.runtime.loop_thread import HostedLoop

    _OPEN[settings.component_cache] = workers = _made(start_worker, HostedLoop(loop), settings.component_cache)
    return workers


async def end_window_workers(settings: Settings) -> None:
    workers = _OPEN.pop(settings.component_cache, None)
    if workers is not None:
        await workers.aclose()


def _made(start: "StartWorker", host: "Host", cache_folder: Path) -> "Workers":
    from sptrader_desktop.adapters.component_cache import ComponentCache
    from sptrader_desktop.adapters.pooled_components import Workers

    return Workers(start, host, ComponentCache(cache_folder / "answers"), cache_folder)


def run_component(settings: Settings, name: str, params: Sequence[str], load: "Callable[[], Candles]", out: Path | None) -> ComponentRun:
    """Really computed, so that what it prints is seen. Nothing is loaded for what would be refused anyway."""
    from sptrader_desktop.adapters.arrow_tables import refuse_unknown_format, write_table
    from sptrader_desktop.ports import ComponentJob

    if out:
        refuse_unknown_format(out)
    catalogue, given = components(ready_workspace(settings)), overrides(tuple(params))
    spec, candles = catalogue.named(name), load()
    if out and out.exists() and Path(candles.source).exists() and out.samefile(candles.source):
        raise RunError(f"--out {out}: these are the candles of --data, which would be lost: name another file")
    (answer,) = component_runner(settings, catalogue).run([ComponentJob(spec.dotted, given, candles, attempt=1)])
    if out and not isinstance(answer.result, ComponentError):
        write_table(out, candles, answer.result)
    return ComponentRun(spec, candles, answer)


def honesty_gate(settings: Settings, catalogue: "Catalogue", runner: "ComponentRunner") -> "HonestyGate":
    from sptrader_desktop.runtime.honesty import HonestyGate
    from sptrader_desktop.runtime.honesty_memory import HonestyMemory

    return HonestyGate(catalogue, runner, HonestyMemory(settings.component_cache / "honest"))


def verify_components(
    settings: Settings, name: str, params: Sequence[str], data: Sequence[str]
) -> "Iterator[tuple[str, Verdict | ComponentError]]":
    """Each component that `name` means, and what a signal requires, on each file; one after another as they are done."""
    from sptrader_desktop.adapters.candle_files import load_candles
    from sptrader_desktop.runtime.honesty import ALL, chosen

    catalogue = components(ready_workspace(settings))
    subjects = chosen(catalogue, name, overrides(tuple(params)))
    gate = honesty_gate(settings, catalogue, component_runner(settings, catalogue))
    for path in map(Path, data) if data else sorted((shipped("workspace") / "data").glob("*.parquet")):
        candles = load_candles(path)
        for subject in subjects:
            yield f"{subject} on {candles.symbol} {candles.timeframe}", gate.tried(subject, candles)
    if name == ALL:
        yield from ((dotted, spec) for dotted, spec in catalogue.found.items() if isinstance(spec, ComponentError))


# One component, as its author edits it


def examined_component(text: str, path: Path, catalogue: "Catalogue") -> "tuple[TextProblem, ...]":
    from sptrader_desktop.adapters.component_problems import examine_component

    return examine_component(text, path, catalogue)


def component_tried(
    settings: Settings, catalogue: "Catalogue", path: Path, params: Sequence[str], candles: "Candles", heed: Heed | None = None
) -> "ComponentReport":
    """Really computed, so that what it prints is seen."""
    from sptrader_desktop.ports import ComponentJob
    from sptrader_desktop.present.component_output import component_report, failure_report

    try:
        spec = component_at(catalogue, path)
        job = ComponentJob(spec.dotted, overrides(tuple(params)), candles, attempt=1)
        (answer,) = component_runner(settings, catalogue, heed).run([job])
    except (ComponentError, RunError) as error:
        return failure_report(f"{path.stem} was not run", str(error), path)
    return component_report(spec, candles, answer)


def component_verified(
    settings: Settings, catalogue: "Catalogue", path: Path, params: Sequence[str], candles: "Candles", heed: Heed | None = None
) -> "ComponentReport":
    from sptrader_desktop.present.component_output import failure_report, honesty_report
    from sptrader_desktop.runtime.honesty import chosen

    gate = honesty_gate(settings, catalogue, component_runner(settings, catalogue, heed))
    try:
        *_, subject = chosen(catalogue, component_at(catalogue, path).dotted, overrides(tuple(params)))
        verdict = gate.tried(subject, candles)
    except (ComponentError, RunError) as error:
        return failure_report(f"{path.stem} was not tried", str(error), path)
    if isinstance(verdict, ComponentError):
        return failure_report(f"{path.stem} could not be tried", str(verdict), path)
    return honesty_report(verdict)


def component_at(catalogue: "Catalogue", path: Path) -> "ComponentSpec":
    """The component in that file; one that is broken raises what is wrong with it."""
    dotted = next(
        (name for name in catalogue.found if Path(*name.split(".")) == Path(*path.with_suffix("").parts[-len(name.split(".")) :])), ""
    )
    return catalogue.component(dotted or path.stem)
