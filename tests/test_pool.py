"""The worker pool answers as the same code does in this process, from its caches if it can, and leaves nothing of one job to the next."""

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from sptrader_desktop.adapters.asyncio_workers import start_worker
from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.inprocess_components import InProcessRunner
from sptrader_desktop.core.components import ComponentSpec
from sptrader_desktop.core.errors import Cancelled, ComponentError
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.ports import Answer, ComponentJob
from sptrader_desktop.runtime.worker_pool import WorkerPool
from tests.command_line import ROOT, SAMPLE
from tests.component_files import GOOD, workspace
from tests.edits import edited
from tests.pool_benches import KINDS, PATIENT, Bench, acting, bench, cross
from tests.small_runs import hourly


@pytest.fixture(scope="module", params=KINDS)
def pool(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Warm for the whole module; the deadline is the usual one."""
    made = bench(request.param, tmp_path_factory.mktemp(request.param))
    yield made
    made.close()
    assert made.left() == []


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """For what only the synchronous side has."""
    made = bench("asyncio", tmp_path_factory.mktemp("commands"), PATIENT)
    yield made
    made.close()
    assert made.left() == []


def same(one: EventTable, other: EventTable) -> bool:
    columns = [(one.bar, other.bar), (one.type, other.type), (one.strength, other.strength)]
    columns += [(one.metadata[name], other.metadata[name]) for name in other.metadata]
    return [*one.metadata] == [*other.metadata] and all(a.tolist() == b.tolist() for a, b in columns)


# The same answers


def test_the_library_answers_as_in_this_process(pool: Bench) -> None:
    candles, shipped = load_candles(SAMPLE), ROOT / "workspace"
    here, there = InProcessRunner(shipped), pool.runner(shipped)
    jobs = [ComponentJob(name, {}, candles) for name, spec in here._catalogue.found.items() if isinstance(spec, ComponentSpec)]
    assert len(jobs) >= 2
    for job, found, expected in zip(jobs, pool.run(shipped, jobs), here.run(jobs), strict=True):
        if isinstance(expected.result, EventTable):
            assert same(found.events(), expected.result), job.component
        else:
            assert [*found.values()] == [*expected.values()]
            for name, column in expected.values().items():
                np.testing.assert_array_equal(found.values()[name], column)
        assert there.fingerprint(job.component) == here.fingerprint(job.component)


METADATA = (
    '["gap", None]',
    '[True, "yes"]',
    "[1, 2]",
    "[0.1, 1e300]",
    "np.array([True, False])",
    'pd.Series(["gap", None], index=at, dtype="str")',
    "np.array([1, 2], dtype=np.uint8)",
)


def test_metadata_of_every_kind_arrives_as_it_was_given(pool: Bench) -> None:
    for place, values in enumerate(METADATA):
        folder = workspace(pool.folder / f"metadata{place}", f'events(at, "up", 1.0, extra={values})')
        expected = InProcessRunner(folder).run([cross()])[0].events()
        assert same(pool.run(folder, [cross()])[0].events(), expected), values


def test_what_cannot_be_believed_is_refused_with_the_same_words(pool: Bench, tmp_path: Path) -> None:
    for answer in ("1 / 0", "None", 'events(at, "up", [0.5, float("nan")], extra=1)', 'events(at, "up", 1.0, extra=[at, at])'):
        folder = workspace(tmp_path, answer)
        here, there = InProcessRunner(folder).run([cross()])[0].result, pool.run(folder, [cross()])[0].result
        assert isinstance(here, ComponentError)
        assert str(there) == str(here)


def test_a_component_that_does_not_exist_fails_alone(pool: Bench, tmp_path: Path) -> None:
    found = pool.run(workspace(tmp_path), [ComponentJob("signals.crosss", {}, hourly()), cross()])
    assert "did you mean 'signals.cross'?" in str(found[0].result)
    assert len(found[1].events()) == 2


def test_an_indicator_that_fails_fails_the_signal_with_what_it_printed(pool: Bench, tmp_path: Path) -> None:
    (found,) = pool.run(workspace(tmp_path, values='print("on the way") or data["shut"]'), [cross()])
    assert "plain.py:10: KeyError: 'shut'" in str(found.result)
    assert found.stdout == "on the way\n"


# What is computed, and where


COUNTING = 'events(at, "up", float(self.number), extra=[os.getpid(), hash("a word")])'
COUNTED_VALUES = 'data["close"].where(data["close"] > 0) if not print("computed") else None'


def counting(folder: Path) -> Path:
    path = workspace(folder, COUNTING, COUNTED_VALUES) / "core" / "signals" / "cross.py"
    path.write_text("import os\n" + edited(path.read_text(), "        at = data", '        print("computed")\n        at = data'))
    return folder


def was_computed(answer: Answer) -> bool:
    return answer.stdout == "computed\n"


def test_only_what_changed_runs_again(pool: Bench) -> None:
    folder = counting(pool.folder / "counting")
    plain = ComponentJob("indicators.test.plain", {}, hourly())
    assert [was_computed(answer) for answer in pool.run(folder, [plain, cross(), cross(number=Decimal(2))])] == [True, True, True]
    assert [was_computed(answer) for answer in pool.run(folder, [plain, cross(number=Decimal(3)), cross()])] == [False, True, False]
    other = replace(hourly(), fingerprint="other")
    assert [was_computed(answer) for answer in pool.run(folder, [cross(other), cross()])] == [True, False]
    unnamed = replace(hourly(), fingerprint="")
    assert [was_computed(answer) for answer in (*pool.run(folder, [cross(unnamed)]), *pool.run(folder, [cross(unnamed)]))] == [True, True]


def test_attempts_are_computed_in_processes_of_different_hash_seeds(pool: Bench) -> None:
    folder = counting(pool.folder / "attempts")
    first, second, third = (pool.run(folder, [cross(attempt=number)])[0] for number in (1, 2, 3))
    assert all(was_computed(answer) for answer in (first, second, third))
    seen = [tuple(answer.events().metadata["extra"].tolist()) for answer in (first, second, third)]
    assert seen[0] == seen[2]
    assert seen[0][0] != seen[1][0]
    assert seen[0][1] != seen[1][1]


def test_an_indicator_that_several_signals_require_is_computed_once(pool: Bench) -> None:
    folder = workspace(pool.folder / "shared", values=f'open("{(pool.folder / "marks").as_posix()}", "a").write("x") and data["close"]')
    source = (folder / "core" / "signals" / "cross.py").read_text()
    names = [f"cross{number}" for number in range(4)]
    for name in names:
        (folder / "core" / "signals" / f"{name}.py").write_text(edited(source, '"name": "cross"', f'"name": "{name}"'))
    for number, candles in enumerate((hourly(), replace(hourly(), fingerprint="")), start=1):
        found = pool.run(folder, [ComponentJob(f"signals.{name}", {}, candles) for name in names])
        assert [len(answer.events()) for answer in found] == [2] * 4
        assert (pool.folder / "marks").read_text() == "x" * number


WAITS = """\
import os, time
        mine = "%s"
        open(os.path.join("..", mine), "w").close()
        while len([name for name in os.listdir("..") if name.startswith("met")]) < 2: time.sleep(0.005)
        at = data"""


def test_independent_components_run_side_by_side(pool: Bench) -> None:
    """Each waits for the other: one after the other they would wait until the deadline."""
    folder = workspace(pool.folder / "beside_each_other")
    path = folder / "core" / "signals" / "cross.py"
    source = path.read_text()
    path.write_text(edited(source, "at = data", WAITS % "met1"))
    path.with_name("cross2.py").write_text(edited(edited(source, "at = data", WAITS % "met2"), '"name": "cross"', '"name": "cross2"'))
    for answer in pool.run(folder, [cross(), ComponentJob("signals.cross2", {}, hourly())]):
        assert len(answer.events()) == 2


def test_what_is_known_needs_no_worker(tmp_path: Path) -> None:
    """One desk computes; the next has the first one's disk; the third call has its own memory."""
    folder = counting(tmp_path)
    with_workers = bench("asyncio", tmp_path)
    assert was_computed(with_workers.run(folder, [cross()])[0])
    with_workers.close()
    later = bench("asyncio", tmp_path)
    try:
        for _ in range(2):
            (answer,) = later.run(folder, [cross()])
            assert not was_computed(answer)
            assert len(answer.events()) == 2
        assert later.left() == []
    finally:
        later.close()


# Nothing stays


VANDAL = """\
import decimal, gc, locale, os, random, signal, sys, warnings
        os.environ["COLOUR"], os.environ["TZ"] = "red", "XYZ-7"
        time.tzset()
        os.umask(0o777)
        del os.environ["PATH"]
        os.chdir("/")
        sys.path.insert(0, "/nowhere")
        sys.argv.append("more")
        sys.setrecursionlimit(500)
        np.seterr(all="raise")
        np.set_printoptions(precision=2)
        warnings.simplefilter("error")
        decimal.getcontext().prec = 3
        pd.set_option("display.precision", 2)
        gc.disable()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.stdout = open(os.devnull, "w")
        random.seed(1)
        np.random.seed(1)
        import _beside
        sys.modules["__main__"].left = 1
"""
STATE = """\
import decimal, gc, os, signal, sys, warnings, zlib
        mask = os.umask(0o077)
        print(mask, os.umask(mask), time.localtime(0))
        # As a sum: an environment may be longer than what is shown of an output.
        print(zlib.crc32(repr((sorted(os.environ), os.getcwd(), sys.path, sys.argv, sys.getrecursionlimit())).encode()))
        print(np.geterr(), len(warnings.filters))
        print(np.get_printoptions()["precision"], decimal.getcontext(), pd.get_option("display.precision"), gc.isenabled())
        print(signal.getsignal(signal.SIGTERM), sorted(name for name in sys.modules if name.startswith("_b")), sys.dont_write_bytecode)
        print(hasattr(sys.modules["__main__"], "left"), __name__, os.environ["DATA_SOURCE"])
"""


def test_no_job_sees_what_another_did_to_the_process(pool: Bench) -> None:
    """All in the same worker: even attempts meet in the first one."""
    looking, vandal = acting(pool.folder / "looking", STATE), acting(pool.folder / "vandal", VANDAL)
    before = pool.run(looking, [cross(attempt=2)])[0]
    assert len(pool.run(vandal, [cross(attempt=2)])[0].events()) == 2
    after = pool.run(looking, [cross(attempt=4)])[0]
    assert before.stdout.count("\n") == 6
    assert "__main__ cache" in before.stdout
    assert before.stdout == after.stdout


def test_random_numbers_are_never_repeated(pool: Bench) -> None:
    folder = workspace(pool.folder / "random", 'events(at, "up", np.random.rand(2), extra=1)')
    strengths = [tuple(pool.run(folder, [cross(attempt=2)])[0].events().strength.tolist()) for _ in range(2)]
    assert strengths[0] != strengths[1]


def test_the_workspace_is_not_littered(pool: Bench) -> None:
    folder = acting(pool.folder / "clean", "import _beside\n")
    assert len(pool.run(folder, [cross()])[0].events()) == 2
    assert sorted(path.name for path in (folder / "core").rglob("*") if path.is_file()) == ["_beside.py", "cross.py", "plain.py"]


# The public contract


CONTRACT = """\
import json, os
import numpy as np
import pyarrow as pa
__metadata_version__ = 2
__metadata__ = {"name": "bare", "parameters": {"least": {"type": "float", "default": 0.25}}, "event_types": ["up"],
    "required_indicators": [{"name": "level", "type": "plain"}], "warm_up": "1"}


class Bare:
    def evaluate(self, data, indicators):
        raise NotImplementedError


def table(path):
    return pa.ipc.open_file(path).read_all()


candles = table(os.path.join(os.environ["CACHE_DIR"], os.environ["CACHE_KEY"] + ".arrow"))
assert os.environ["DATA_SOURCE"] == "cache"
level = table(json.loads(os.environ["INDICATORS"])["level"])
assert level.column_names == ["timestamp", "plain"]
assert level["plain"].to_pylist() == candles["close"].to_pylist()
events = {"timestamp": candles["timestamp"].slice(3, 1), "type": ["up"], "strength": [json.loads(os.environ["COMPONENT_PARAMS"])["least"]]}
%s
"""
WRITES = """\
with pa.ipc.new_file(os.environ["RESULT_PATH"], pa.table(events).schema) as file:
    file.write_table(pa.table(events))
"""


def test_a_script_that_only_follows_the_variables_works(pool: Bench) -> None:
    folder = workspace(pool.folder / "bare")
    path = folder / "core" / "signals" / "bare.py"
    path.write_text(CONTRACT % WRITES)
    (found,) = pool.run(folder, [ComponentJob("signals.bare", {"least": Decimal("0.5")}, hourly())])
    assert (found.events().bar.tolist(), found.events().strength.tolist()) == ([3], [0.5])
    nonsense = {
        'open(os.environ["RESULT_PATH"], "wb").write(b"no Arrow")': "its result is no Arrow file that can be read",
        "events.pop('timestamp')\n" + WRITES: "events must be indexed by the stamps",
        "events['strength'] = [None]\n" + WRITES: "strength is None, not a number",
        "events['type'] = [7]\n" + WRITES: "type 7 is not among its event_types",
        "raise SystemExit('no wind today')": "bare.py: no wind today",
    }
    for act, words in nonsense.items():
        path.write_text(CONTRACT % act)
        assert words in str(pool.run(folder, [ComponentJob("signals.bare", {}, hourly())])[0].result), act


@pytest.mark.parametrize("is_marked", [True, False])
def test_a_folder_beside_a_component_can_be_imported_and_its_edit_counts(pool: Bench, *, is_marked: bool) -> None:
    """With an `__init__.py` and without."""
    folder = workspace(pool.folder / f"packed{is_marked}", "events(at, levels.KIND, 1.0, extra=1)")
    path = folder / "core" / "signals" / "cross.py"
    path.write_text("from _parts import levels\n" + path.read_text())
    (parts := path.with_name("_parts")).mkdir()
    if is_marked:
        (parts / "__init__.py").touch()
    here = InProcessRunner(folder)
    for kind in ("up", "down"):
        (parts / "levels.py").write_text(f'KIND = "{kind}"\n')
        for answers in (here.run([cross()]), pool.run(folder, [cross()]), pool.run(folder, [cross(attempt=2)])):
            assert answers[0].events().type.tolist() == [kind] * 2


def test_a_file_beside_a_component_can_be_imported_and_its_edit_counts(pool: Bench) -> None:
    folder = workspace(pool.folder / "beside", "events(at, _levels.KIND, 1.0, extra=1)")
    path = folder / "core" / "signals" / "cross.py"
    path.write_text("import _levels\n" + path.read_text())
    runners = InProcessRunner(folder), pool.runner(folder)
    seen = []
    for kind in ("up", "down"):
        path.with_name("_levels.py").write_text(f'KIND = "{kind}"\n')
        here, there = runners[0].run([cross()])[0].events(), pool.run(folder, [cross()])[0].events()
        assert here.type.tolist() == there.type.tolist() == [kind] * 2
        seen.append({runner.fingerprint("signals.cross") for runner in runners})
    assert all(len(prints) == 1 for prints in seen)
    assert seen[0] != seen[1]


# Stopping


def waiting(folder: Path) -> Path:
    return workspace(folder, values=f'open("{(folder / "began").as_posix()}", "w").close() or time.sleep(60) or data["close"]')


def until(happened: Path) -> None:
    while not happened.exists():
        time.sleep(0.01)


def with_time(folder: Path) -> Path:
    path = waiting(folder) / "core" / "indicators" / "test" / "plain.py"
    path.write_text("import time\n" + path.read_text())
    return folder


def test_a_run_that_is_cancelled_ends_its_own_jobs_only(commands: Bench) -> None:
    """Three runs on two workers: one is stopped while it runs, one while it waits in the queue; the third never notices."""
    slow, good = with_time(commands.folder / "slow"), workspace(commands.folder / "good", GOOD)
    running = commands.runner(slow).start([cross(attempt=1)])
    until(slow / "began")
    queued = commands.runner(good).start([cross(attempt=1)])
    other = commands.runner(good).start([cross(attempt=2)])
    assert len(other.result()[0].events()) == 2
    assert not queued.done()
    queued.cancel()
    running.cancel()
    for stopped in (queued, running):
        with pytest.raises(CancelledError):
            stopped.result()
    assert len(commands.run(good, [cross(attempt=1)])[0].events()) == 2


def test_closing_while_something_runs_ends_it_and_leaves_nothing(tmp_path: Path) -> None:
    desk, slow = bench("asyncio", tmp_path, PATIENT), with_time(tmp_path / "slow")
    runner = desk.runner(slow)
    running = runner.start([cross()])
    until(slow / "began")
    scratch = desk.workers.files.folder
    desk.close()
    with pytest.raises(CancelledError):
        running.result()
    assert desk.left() == []
    assert not scratch.exists()


def test_a_stopped_run_says_so_in_the_thread_that_waits_for_it(commands: Bench) -> None:
    slow = with_time(commands.folder / "stopped")
    runner = commands.runner(slow)

    def stop_all() -> None:
        until(slow / "began")
        for task in tuple(commands.workers._running):
            task.get_loop().call_soon_threadsafe(task.cancel)

    async def both() -> None:
        stopping = asyncio.to_thread(stop_all)
        with pytest.raises(Cancelled, match="stopped on request"):
            await asyncio.gather(asyncio.to_thread(runner.run, [cross(attempt=1)]), stopping)

    asyncio.run(both())


def test_a_place_that_is_given_to_one_who_just_gave_up_goes_to_the_next(tmp_path: Path) -> None:
    async def taken_twice() -> None:
        pool = WorkerPool(start_worker, tmp_path, size=2)
        slot = await pool._taken(0)
        waiting = asyncio.ensure_future(pool._taken(0))
        await asyncio.sleep(0)
        pool._give(slot)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await asyncio.wait_for(pool._taken(0), 5) is slot

    asyncio.run(taken_twice())


def test_a_window_s_run_can_be_cancelled(tmp_path: Path) -> None:
    from tests.pool_benches import QtBench

    desk, slow = QtBench(tmp_path), with_time(tmp_path / "slow")

    async def stopped() -> None:
        running = asyncio.ensure_future(desk.runner(slow).answers([cross(attempt=1)]))
        while not (slow / "began").exists():
            await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    try:
        desk.loop.run_until_complete(stopped())
        assert desk.left() == []
        assert len(desk.run(workspace(tmp_path / "good"), [cross()])[0].events()) == 2
    finally:
        desk.close()


def test_parameters_travel_as_exact_numbers(pool: Bench) -> None:
    folder = workspace(pool.folder / "numbers", "print(json.dumps([type(self.number).__name__, self.number])) or " + GOOD)
    path = folder / "core" / "signals" / "cross.py"
    path.write_text("import json\n" + edited(path.read_text(), '"type": "int", "default": 1', '"type": "float", "default": 1'))
    for text, expected in (("7.0", ["int", 7]), ("0.1", ["float", 0.1]), ("-123456.789012345", ["float", -123456.789012345])):
        (answer,) = pool.run(folder, [cross(number=Decimal(text))])
        assert json.loads(answer.stdout) == expected
