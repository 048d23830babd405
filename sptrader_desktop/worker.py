"""A warm process that runs component files one after the other, started by the pool.

It reads a JSON line for each job and answers one. A job is a script and the variables that are set for it alone; the script runs as if it
were started by itself. Nothing of a script outlives its job: what cannot be undone is reported, and the pool ends this process.
"""

import _thread
import gc
import io
import json
import os
import sys
import time
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import psutil

import sptrader_desktop.adapters.arrow_frames  # noqa: F401  # what a script would wait for
from sptrader_desktop.adapters.component_calls import sentence
from sptrader_desktop.adapters.component_catalogue import component_at
from sptrader_desktop.adapters.process_limits import die_with, lacking, limit_memory, shortage
from sptrader_desktop.adapters.script_surroundings import surroundings
from sptrader_desktop.adapters.script_tampering import Libraries
from sptrader_desktop.runtime.own_connection import own_connection, say_all
from sptrader_desktop.sdk import main as answer

GRACE_S = 0.1
LIBRARIES = Libraries()  # as no script has seen them yet


def main(parent: int, memory: int) -> None:
    """`parent` is the process whose death is ours, `memory` how many bytes more than now we may take."""
    jobs, answers = own_connection()
    die_with(parent)
    limit_memory(memory)
    gc.collect()
    gc.freeze()  # no collection looks through the libraries again
    _say(answers, {"ready": True})
    for line in jobs:
        _say(answers, perform(json.loads(line)))
    os._exit(0)  # whoever gave the work is gone


def _say(answers: int, answer: dict[str, Any]) -> None:
    say_all(answers, json.dumps(answer).encode() + b"\n")


def perform(job: dict[str, Any]) -> dict[str, Any]:
    script, me, threads = Path(job["script"]), os.getpid(), _thread._count()
    result, said = Path(job["environment"]["RESULT_PATH"]), {"error": "", "left": "", "short": ""}
    try:
        output = _Output(job["stdout"], job["stderr"])
        try:
            with surroundings(script, job["environment"]):
                said["error"] = _run(script, result)
        finally:
            if os.getpid() != me:
                os._exit(0)  # a child of the script has come out of it: only one of us answers
        said["left"] = output.end() or _left_behind(threads) or _tampered()
    except _ShortageError as short:
        said["short"] = f"{script}: {lacking(short.why, result.parent)}: make room there and run it again"
    return {"job": job["job"], **said}


class _ShortageError(Exception):
    """The computer has no more of something, which is not the script's fault."""

    def __init__(self, why: OSError) -> None:
        self.why = why


def _run(script: Path, result: Path) -> str:
    """What went wrong, as a sentence; a broad net, because the script is anybody's."""
    try:
        _run_as_main(script, result)
    except SystemExit as left:
        _raise_if_short(left)
        return _exit_sentence(script, result, left)
    except BaseException as error:  # noqa: BLE001
        _raise_if_short(error)
        return sentence(error, str(script), 1)
    return "" if result.is_file() else f"{script}: it wrote no result: end the file with main(…) of the sdk, or write RESULT_PATH"


def _raise_if_short(error: BaseException) -> None:
    why = shortage(error)
    if why is not None:
        raise _ShortageError(why) from error


def _exit_sentence(script: Path, result: Path, left: SystemExit) -> str:
    """The sdk leaves with a sentence, a script that is done perhaps with 0."""
    if isinstance(left.code, str):
        said = " ".join(left.code.split())
        return said if said.startswith(str(script)) else f"{script}: {said}"
    return "" if not left.code and result.is_file() else sentence(left, str(script), 1)


def _run_as_main(script: Path, result: Path) -> None:
    """A file that does not call `main` itself is asked as if it had."""
    module = ModuleType("__main__")
    module.__file__ = str(script)
    sys.modules["__main__"] = module
    exec(_code(script), module.__dict__)
    if not result.is_file():
        spec = component_at(script)
        answer(getattr(module, spec.class_name), {"name": spec.name})


_CODE: dict[str, tuple[bytes, CodeType]] = {}


def _code(script: Path) -> CodeType:
    source = script.read_bytes()
    known = _CODE.get(str(script))
    if known is None or known[0] != source:
        known = _CODE[str(script)] = (source, compile(source, str(script), "exec", dont_inherit=True))
    return known[1]


class _Output:
    """Standard output and error of one job, as files: what was printed before a crash is there after it."""

    def __init__(self, *paths: str) -> None:
        for number, path in enumerate(paths, start=1):
            try:
                file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
            except OSError as error:
                raise _ShortageError(error) from error
            os.dup2(file, number)
            os.close(file)
        self._files = [os.fstat(number) for number in (1, 2)]
        sys.stdout, sys.stderr = self._streams = [_stream(number) for number in (1, 2)]

    def end(self) -> str:
        """What was done to them."""
        for number, stream, file, name in zip((1, 2), self._streams, self._files, ("output", "error"), strict=True):
            try:
                stream.flush()
                is_whole = os.path.samestat(os.fstat(number), file)
            except (OSError, ValueError) as error:
                _raise_if_short(error)
                is_whole = False
            if not is_whole:
                return f"closed or replaced its standard {name}: leave it open"
        return ""


def _stream(number: int) -> io.TextIOWrapper:
    raw = io.FileIO(number, "w", closefd=False)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", errors="backslashreplace", line_buffering=True)


def _left_behind(threads: int) -> str:
    if _has_children():
        return "left a process behind: wait for every process it starts"
    ends = time.monotonic() + GRACE_S
    while _thread._count() > threads:
        if time.monotonic() > ends:
            return "left a thread running: join every thread it starts"
        time.sleep(0.002)
    return ""


def _tampered() -> str:
    changed = LIBRARIES.changed()
    return changed and f"changed {changed} for all scripts: leave libraries as they are"


def _has_children() -> bool:
    """Dead ones count when nobody waited for them: whether one is dead yet is chance."""
    if sys.platform == "win32":
        return bool(psutil.Process().children())
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
