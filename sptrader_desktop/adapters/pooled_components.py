"""Components run by the worker pool: what a signal requires first, side by side; each answer is checked here again and remembered."""

import asyncio
import json
import os
import shutil
import threading
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from sptrader_desktop.adapters.arrow_components import read_answer, write_answer, write_candles
from sptrader_desktop.adapters.component_cache import ComponentCache
from sptrader_desktop.adapters.component_checks import Believed, Columns, believed
from sptrader_desktop.adapters.component_columns import python_params
from sptrader_desktop.adapters.component_memory import ResultMemory, result_key
from sptrader_desktop.adapters.component_sources import ComponentSources
from sptrader_desktop.adapters.shared_files import SharedFiles
from sptrader_desktop.core.candles import Candles, Int64Array
from sptrader_desktop.core.components import Catalogue, ComponentSpec
from sptrader_desktop.core.errors import Cancelled, ComponentError, MachineError
from sptrader_desktop.core.strategy import Scalar
from sptrader_desktop.ports import Answer, ComponentJob
from sptrader_desktop.runtime.process_trees import end_orphans
from sptrader_desktop.runtime.scratch import is_gone, make_scratch
from sptrader_desktop.runtime.worker_pool import Limits, Reply, WorkerPool
from sptrader_desktop.runtime.worker_process import StartWorker, Task

# What the person's own shell may hold for scripts run alone and no job must hear.
SILENCED = dict.fromkeys(
    "TEST_DATASET INDICATORS PUBLISH_LIVE LIVE_SYMBOL LIVE_TIMEFRAME LIVE_FROM LIVE_TO "
    "REALTIME_SYMBOL REALTIME_TIMEFRAME REALTIME_WINDOW".split(),
    "",
)

# Answers over so many bars are read and checked in less than a thread takes to begin.
SHORT_ROWS = 100_000
HEED_S = 0.1  # so often whoever waits for components asks whether it should stop
T = TypeVar("T")


class Host(Protocol):
    """Where the pool's loop is."""

    def submit(self, work: Coroutine[Any, Any, Any]) -> "Future[Any]": ...

    def close(self) -> None: ...


class Workers:
    """What all runners of a process share: the pool, its folder, and the answers that are known. Nothing is started before it is needed."""

    def __init__(
        self, start: StartWorker, host: Host, cache: ComponentCache, fallback: Path, *, size: int = 0, limits: Limits | None = None
    ) -> None:
        self.host, self.cache, self.memory = host, cache, ResultMemory()
        self._start, self._size, self._limits = start, size, limits
        self._fallback = fallback
        self._open: tuple[WorkerPool, SharedFiles] | None = None
        self._running: set[asyncio.Task[Any]] = set()
        self._writing: set[asyncio.Future[None]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pool(self) -> WorkerPool:
        return self._opened()[0]

    @property
    def files(self) -> SharedFiles:
        return self._opened()[1]

    def close(self) -> None:
        """Not from the loop's own thread."""
        if self._open is not None or self._running:
            self.host.submit(self.aclose()).result()
        self.host.close()

    async def aclose(self) -> None:
        """On the loop: end what runs, then the workers, and let go of the folder."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, *self._writing, return_exceptions=True)
        if self._open is not None:
            (pool, files), self._open = self._open, None
            await pool.close()
            shutil.rmtree(files.folder, ignore_errors=True)

    async def warm_up(self) -> None:
        """Start all workers ahead of the first job; for a window that has time."""
        await self.counted(self.pool.warm_up())

    async def counted(self, work: Coroutine[Any, Any, T]) -> T:
        """While it runs, `close` knows of it."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await task

    def keep(self, key: str, made: Believed) -> None:
        """In memory now, on disk soon."""
        self.memory.put(key, made)
        if key:
            writing = asyncio.get_running_loop().run_in_executor(None, self.cache.put, key, made.columns)
            self._writing.add(writing)
            writing.add_done_callback(self._writing.discard)

    def _opened(self) -> tuple[WorkerPool, SharedFiles]:
        if self._open is None:
            # It looks through all processes, which this thread, perhaps the window's, has no time for; nothing waits for it.
            threading.Thread(target=end_orphans, args=(is_gone,), name="orphans", daemon=True).start()
            folder = _scratch(self._fallback)
            self._open = (WorkerPool(self._start, folder, self._size, self._limits), SharedFiles(folder))
        return self._open


def _scratch(fallback: Path) -> Path:
    try:
        return make_scratch(fallback)
    except OSError as error:
        why = f"{error.strerror or error}; the last place tried was {error.filename}" if error.filename else str(error)
        raise MachineError(f"no folder for components' work can be made ({why}): name one with SPTRADER_COMPONENT_CACHE") from error


class PooledRunner:
    """The ComponentRunner for one workspace's components."""

    def __init__(self, workers: Workers, catalogue: Catalogue, heed: Callable[[], object] | None = None) -> None:
        self._workers, self._catalogue, self._heed = workers, catalogue, heed or _go_on
        self._sources = ComponentSources(catalogue)

    def fingerprint(self, component: str) -> str:
        return self._sources.fingerprint(component)

    def run(self, jobs: Sequence[ComponentJob]) -> list[Answer]:
        """From any thread but the loop's. What is remembered needs no loop and no worker. What `heed` raises ends these jobs only."""
        self._heed()
        remembered = [self._remembered(job) for job in jobs]
        if None not in remembered:
            return [answer for answer in remembered if answer is not None]
        future = self.start(jobs)
        try:
            return self._awaited(future)
        except CancelledError:
            raise Cancelled("the components were stopped on request: nothing was computed from them") from None
        except BaseException:
            future.cancel()
            raise

    def _awaited(self, future: "Future[list[Answer]]") -> list[Answer]:
        while True:
            try:
                return future.result(HEED_S)
            except TimeoutError:
                if future.done():
                    return future.result()
                self._heed()

    def start(self, jobs: Sequence[ComponentJob]) -> "Future[list[Answer]]":
        """Cancelling it ends the jobs that run and drops those that wait; other runs go on."""
        return self._workers.host.submit(self.answers(jobs))

    async def answers(self, jobs: Sequence[ComponentJob]) -> list[Answer]:
        return await self._workers.counted(self._all(jobs))

    async def _all(self, jobs: Sequence[ComponentJob]) -> list[Answer]:
        passing: list[str] = []
        try:
            async with asyncio.TaskGroup() as group:
                batch = _Batch(self._workers, self._catalogue, self._sources, group, passing)
                tasks = [batch.wanted(job) for job in jobs]
            return [task.result().answer for task in tasks]
        except ExceptionGroup as several:
            short = several.subgroup(MachineError)
            raise several if short is None else short.exceptions[0] from None
        finally:
            if passing:
                self._workers.files.drop(passing)

    def _remembered(self, job: ComponentJob) -> Answer | None:
        with suppress(ComponentError):
            spec = self._catalogue.component(job.component)
            found = self._workers.memory.get(result_key(spec, job, self.fingerprint(job.component)))
            return Answer(found.result) if found else None
        return None


@dataclass(frozen=True, slots=True)
class _Made:
    """`name` is that of the file in which a signal finds an indicator's columns."""

    answer: Answer
    columns: Columns | None = None
    name: str = ""


class _Batch:
    """The jobs of one call and the indicators they require, each of them once; `passing` takes the names of files only it needs."""

    def __init__(
        self, workers: Workers, catalogue: Catalogue, sources: ComponentSources, group: asyncio.TaskGroup, passing: list[str]
    ) -> None:
        self._workers, self._catalogue, self._sources = workers, catalogue, sources
        self._tasks: dict[object, asyncio.Task[_Made]] = {}
        self._unnamed: dict[int, str] = {}
        self._group = group
        self._passed = passing

    def wanted(self, job: ComponentJob) -> "asyncio.Task[_Made]":
        same = (job.component, _plain(job.params), id(job.candles), job.attempt)
        if same not in self._tasks:
            self._tasks[same] = self._group.create_task(self._made(job))
        return self._tasks[same]

    async def _made(self, job: ComponentJob) -> _Made:
        try:
            spec = self._catalogue.component(job.component)
            key = result_key(spec, job, self._sources.fingerprint(job.component))
            found = self._workers.memory.get(key) or await self._kept(spec, key, job)
            if found is not None:
                return _Made(Answer(found.result), found.columns, f"answer-{key}")
            indicators = await self._required(spec, job)
            failed = next((made.answer for made in indicators.values() if isinstance(made.answer.result, ComponentError)), None)
            return _Made(failed) if failed else await self._computed(spec, job, key, indicators)
        except ComponentError as error:
            return _Made(Answer(error))
        except OSError as error:
            where = f"{job.component}: its work cannot be handed over in {self._workers.files.folder}"
            why = os.strerror(error.errno) if error.errno else str(error)  # those of Arrow know the number only
            raise MachineError(f"{where} ({why}): make room there, or start the program again") from error

    async def _kept(self, spec: ComponentSpec, key: str, job: ComponentJob) -> Believed | None:
        """What is on disk was believed once, and is checked like anything new."""
        if not self._workers.cache.has(key):
            return None
        columns = await asyncio.to_thread(self._workers.cache.get, key)
        with suppress(ComponentError):
            if columns is not None:
                found = believed(spec, columns, job.candles.timestamp)
                self._workers.memory.put(key, found)
                return found
        return None

    async def _required(self, spec: ComponentSpec, job: ComponentJob) -> dict[str, _Made]:
        tasks = {}
        for required in spec.required_indicators:
            indicator = self._catalogue.indicator(required.type)
            params = indicator.given(spec.indicator_params(required, job.params))
            tasks[required.name] = self.wanted(ComponentJob(indicator.dotted, params, job.candles, job.attempt))
        return {name: await task for name, task in tasks.items()}

    async def _computed(self, spec: ComponentSpec, job: ComponentJob, key: str, indicators: Mapping[str, _Made]) -> _Made:
        files = self._workers.files
        writes = {self._candles(job.candles): partial(write_candles, job.candles)}
        for made in indicators.values():
            assert made.columns is not None, "those that failed were sorted out"
            writes[made.name] = partial(write_answer, made.columns)
        taken, result = [], files.new_path()
        try:
            for name, write in writes.items():
                await _aside(files.take, name, write, is_short=files.has(name))
                taken.append(name)
            environment = _environment(spec, job, files.path(taken[0]), result)
            if indicators:
                paths = [str(files.path(made.name)) for made in indicators.values()]
                environment["INDICATORS"] = json.dumps(dict(zip(indicators, paths, strict=True)))
            reply = await self._workers.pool.run(Task(spec.source, environment, job.attempt or None, self._sources.loads(spec.source)))
            return await self._read(spec, job, key, result, reply)
        finally:
            for name in taken:
                files.give(name)
            for path in (result, result.with_name(result.name + ".tmp")):
                with suppress(OSError):  # it is read where it lies: some systems keep it for so long
                    path.unlink(missing_ok=True)

    async def _read(self, spec: ComponentSpec, job: ComponentJob, key: str, result: Path, reply: Reply) -> _Made:
        if reply.error:
            return _Made(Answer(ComponentError(reply.error), reply.stdout, reply.stderr))
        try:
            found = await _aside(_read_believed, spec, result, job.candles.timestamp, is_short=len(job.candles) <= SHORT_ROWS)
        except ComponentError as error:
            return _Made(Answer(error, reply.stdout, reply.stderr))
        if key and result_key(spec, job, self._sources.fingerprint(job.component)) != key:
            key = ""  # edited meanwhile: nobody knows which of the two sources gave this answer
        self._workers.keep(key, found)
        name = f"answer-{key}" if key else self._passing()
        return _Made(Answer(found.result, reply.stdout, reply.stderr), found.columns, name)

    def _candles(self, candles: Candles) -> str:
        """The name of their file: their own, or one that this batch knows them by."""
        if candles.fingerprint:
            return f"candles-{candles.fingerprint}"
        if id(candles) not in self._unnamed:
            self._unnamed[id(candles)] = self._passing()
        return self._unnamed[id(candles)]

    def _passing(self) -> str:
        """A name for a file that nobody asks for after this batch."""
        self._passed.append(uuid.uuid4().hex)
        return self._passed[-1]


async def _aside(work: Callable[..., T], *given: Any, is_short: bool) -> T:
    """In a thread what would hold the loop up; the rest at once, because to change threads takes longer."""
    return work(*given) if is_short else await asyncio.to_thread(work, *given)


def _read_believed(spec: ComponentSpec, result: Path, stamps: Int64Array) -> Believed:
    return believed(spec, read_answer(result, spec.source), stamps)


def _environment(spec: ComponentSpec, job: ComponentJob, candles: Path, result: Path) -> dict[str, str]:
    """The public contract of component files."""
    return SILENCED | {
        "DATA_SOURCE": "cache",
        "CACHE_DIR": str(candles.parent),
        "CACHE_KEY": candles.stem,
        "COMPONENT_PARAMS": json.dumps(python_params(spec.given(job.params))),
        "RESULT_PATH": str(result),
    }


def _go_on() -> None:
    """Nobody asks for a stop."""


def _plain(params: Mapping[str, Scalar]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, str(value)) for name, value in params.items()))
