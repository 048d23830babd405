"""Small YAML files of a person's: read whole or refused in one sentence, and all their problems in the order of the file."""

from collections.abc import Sequence
from pathlib import Path

from sptrader_desktop.adapters.marked_data import MarkedData
from sptrader_desktop.core.errors import Problem, SptraderError, StrategyError

LARGEST = 64 * 1024


def too_large(what: str) -> Problem:
    return Problem((), None, f"is larger than {LARGEST // 1024} KiB: no {what} file needs that", line=1, column=1)


def all_problems(marked: MarkedData, faults: Sequence[Problem], found: Sequence[Problem]) -> tuple[Problem, ...]:
    """`faults` are the reader's: a value that it has already refused is not told a second time."""
    told = {fault.path for fault in faults if fault.value is not None}
    return marked.placed([*faults, *(problem for problem in found if not _is_under(problem, told))])


def read_text(path: Path, what: str) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except FileNotFoundError as error:
        raise SptraderError(f"there is no {what} file {path}: check the name") from error
    except IsADirectoryError as error:
        raise SptraderError(f"{path} is a folder: name a {what} file in it") from error
    except OSError as error:
        raise SptraderError(f"{path} cannot be read ({error.strerror}): check the file and its permissions") from error
    if len(raw) > LARGEST:
        raise StrategyError(str(path), (too_large(what),))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        rule = "is not UTF-8 text: save it with that encoding"
        raise StrategyError(str(path), (Problem((), None, rule, line=line, column=column),)) from error


def _is_under(problem: Problem, told: set[tuple[str | int, ...]]) -> bool:
    """A value the reader has already refused, or something in it."""
    return any(problem.path[:length] in told for length in range(len(problem.path) + 1))
