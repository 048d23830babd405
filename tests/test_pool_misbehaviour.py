"""Whatever a script does, it is one named error on that component, the others finish, and no process stays behind: on both transports."""

import textwrap
from collections.abc import Iterator

import pytest

from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.ports import Answer, ComponentJob
from tests.pool_benches import KINDS, Bench, bench
from tests.small_runs import hourly

SCRIPT = """\
import ctypes, mmap, os, re, signal, subprocess, sys, threading, time
import numpy as np
import pandas as pd
__metadata_version__ = 2
__metadata__ = {{"name": "{name}", "family": "test", "outputs": ["{name}"], "warm_up": "1"}}


class Script:
    def calculate(self, data):
{body}
        return data["close"]
"""

# Memory that no limit of the system's counts, because others could share it.
HOARDS = 'held = mmap.mmap(-1, 2**30)\nfor at in range(1024): held.write(b"x" * 2**20)\ntime.sleep(60)'
# What it does, and what is said of it after the file's name.
MISDEEDS = {
    "hangs": ("threading.Event().wait()", ": took longer than 2 s: make it faster"),
    "hangs_in_c": ('re.match("(a+)+$", "a" * 60 + "b")', ": took longer than 2 s"),
    "ignores_sigterm": ("signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: time.sleep(1)", ": took longer than 2 s"),
    "allocates_10_gb": ("np.ones(10 * 2**30 // 8)", ":10: MemoryError: Unable to allocate 10.0 GiB"),
    "shares_much_memory": (HOARDS, ": took more than 300 MiB of memory: work on less"),
    "has_a_hungry_child": (f"if os.fork() == 0:\n{textwrap.indent(HOARDS, '    ')}\nos.wait()", ": took more than 300 MiB of memory"),
    "prints_1_gb": ('for _ in range(1024): print("x" * 2**20)', ": printed more than 8 MiB: print less"),
    "exits": ("os._exit(3)", ": ended its process with exit code 3 while it ran"),
    "leaves": ("sys.exit(0)", ":10: SystemExit: 0; mend"),
    "crashes": ("ctypes.string_at(0)", ": died of SIGSEGV while it ran"),
    "kills_itself": ("os.kill(os.getpid(), signal.SIGKILL)", ": died of SIGKILL while it ran"),
    "closes_stdout": ("sys.stdout.close()", ": closed or replaced its standard output: leave it open"),
    "closes_descriptor": ("os.close(2)", ": closed or replaced its standard error: leave it open"),
    "closes_everything": ("os.closerange(0, 1000)", " while it ran"),
    "forks": ("os.fork()", ": left a process behind: wait for every process it starts"),
    "forks_a_daemon": (
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(60)\n    os._exit(0)\nos.wait()",
        ": left a process behind",
    ),
    "starts_a_program": ('subprocess.Popen(["sleep", "60"], start_new_session=True)', ": left a process behind"),
    "starts_one_and_dies": (
        'subprocess.Popen(["sleep", "60"], start_new_session=True)\nos._exit(0)',
        ": ended its process with exit code 0",
    ),
    "writes_garbage": (
        'for fd in range(3, 50):\n    try: os.write(fd, b"garbage\\n")\n    except OSError: pass\ntime.sleep(60)',
        ": wrote to the program's own connection",
    ),
    "answers_for_another": (
        'line = b\'{"job": 99, "error": "", "left": ""}\\n\'\n'
        "for fd in range(3, 50):\n    try: os.write(fd, line)\n    except OSError: pass\ntime.sleep(60)",
        ": wrote to the program's own connection",
    ),
    "leaves_a_thread": (
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
        ": left a thread running: join every thread",
    ),
    "recurses": ("def deeper(): return deeper()\ndeeper()", "RecursionError: maximum recursion depth exceeded"),
    "raises_strangely": ("raise type('Odd', (BaseException,), {})('very odd')", ":10: Odd: very odd; mend"),
    "interrupts": ("raise KeyboardInterrupt", ":10: KeyboardInterrupt: "),
    "replaces_a_method": (
        "pd.Series.rolling = lambda series, bars: series.expanding()",
        ": changed Series.rolling for all scripts: leave libraries as they are",
    ),
    "replaces_the_sdk_s": ("import sptrader_desktop.sdk as sdk\nsdk.average = max", ": changed sptrader_desktop.sdk.average for all"),
    "replaces_the_language_s": ("import builtins\nbuiltins.abs = max", ": changed builtins.abs for all scripts"),
    "replaces_a_library": ('sys.modules["numpy"] = sys', ": changed numpy for all scripts"),
    "is_infinite": ('return data["close"] / 0', "is_infinite at 2024-01-02 08:00:00+00:00 is inf: return NaN"),
    "is_short": ('return data["close"][1:]', "calculate returned 9 values for 10 candles"),
    "knows_the_future": ('return data["close"].shift(freq="1h")', "calculate returned another index than the candles'"),
}
GOOD = ("good_one", "good_two", "good_three")
# One for each way in which a process ends, goes on, or breaks its connection; what a worker finds out about its script is a line of
# its answer, which QProcess carries like any other.
SOME = """
    ignores_sigterm has_a_hungry_child prints_1_gb exits crashes closes_stdout closes_everything forks_a_daemon starts_one_and_dies
    writes_garbage answers_for_another raises_strangely is_short
""".split()
TRIALS = [("asyncio", [*MISDEEDS]), ("qprocess", SOME), pytest.param(("qprocess", [*MISDEEDS]), marks=pytest.mark.campaign)]


@pytest.fixture(scope="module", params=TRIALS, ids=["asyncio", "qprocess", "all-on-qprocess"])
def trial(request: pytest.FixtureRequest) -> tuple[str, list[str]]:
    """A way to host the pool, and the misdeeds that are done there."""
    kind, misdeeds = request.param
    assert kind in KINDS
    return kind, misdeeds


@pytest.fixture(scope="module")
def pool(trial: tuple[str, list[str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = bench(trial[0], tmp_path_factory.mktemp(trial[0]))
    yield made
    made.close()
    assert made.left() == []


@pytest.fixture(scope="module")
def answers(pool: Bench, trial: tuple[str, list[str]]) -> dict[str, Answer]:
    """All at once on two workers, good ones among them, so that each misdeed has neighbours."""
    names = [*GOOD[:1], *trial[1], *GOOD[1:]]
    for name in names:
        path = pool.folder / "core" / "indicators" / "test" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        body = textwrap.indent(MISDEEDS.get(name, ("print('fine')", ""))[0], " " * 8)
        path.write_text(SCRIPT.format(name=name, body=body), encoding="utf-8")
    jobs = [ComponentJob(f"indicators.test.{name}", {}, hourly()) for name in names]
    return dict(zip(names, pool.run(pool.folder, jobs), strict=True))


def test_a_misdeed_is_one_sentence_about_that_component(pool: Bench, answers: dict[str, Answer]) -> None:
    wrong = {}
    for name in answers.keys() - set(GOOD):
        said, source = str(answers[name].result), pool.folder / "core" / "indicators" / "test" / f"{name}.py"
        is_named = isinstance(answers[name].result, ComponentError) and said.startswith(str(source))
        if not is_named or MISDEEDS[name][1] not in said or "\n" in said:
            wrong[name] = said
    assert wrong == {}


def test_the_others_finish(answers: dict[str, Answer]) -> None:
    for name in GOOD:
        assert answers[name].values()[name].tolist() == (hourly().prices.close / 100_000).tolist()
        assert answers[name].stdout == "fine\n"


def test_no_process_but_the_workers_stays_behind(pool: Bench, answers: dict[str, Answer]) -> None:
    workers = pool.left(most=2)
    assert len(workers) <= 2
    assert all(any("sptrader_desktop.worker" in part for part in process.cmdline()) for process in workers)


def test_what_a_script_printed_before_its_end_is_kept_and_what_is_too_much_is_counted(pool: Bench, answers: dict[str, Answer]) -> None:
    shown = answers["prints_1_gb"].stdout
    assert shown.startswith("x" * 2000 + "\n… ")
    assert shown.endswith(" bytes more\n")
