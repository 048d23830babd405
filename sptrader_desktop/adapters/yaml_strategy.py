"""Strategy files: YAML text to core's `Strategy`, or a `StrategyError` with every problem at its line and column."""

from collections.abc import Mapping
from pathlib import Path

from sptrader_desktop.adapters.yaml_tree import read_tree
from sptrader_desktop.core.components import Catalogue
from sptrader_desktop.core.errors import Problem, SptraderError, StrategyError
from sptrader_desktop.core.strategy import Scalar, Strategy
from sptrader_desktop.core.strategy_rules import resolve_strategy

LARGEST = 64 * 1024


def read_strategy(path: Path, catalogue: Catalogue | None = None, overrides: Mapping[str, Scalar] | None = None) -> tuple[Strategy, str]:
    """The strategy and the text it was read from. `overrides` replace its `parameters`; a catalogue checks its components too."""
    text = _read_text(path)
    return parse_strategy(text, str(path), catalogue, overrides), text


def parse_strategy(text: str, source: str, catalogue: Catalogue | None = None, overrides: Mapping[str, Scalar] | None = None) -> Strategy:
    """`source` is what messages call the text."""
    if len(text) > LARGEST:
        raise _refused(source, f"is larger than {LARGEST // 1024} KiB: no strategy needs that", 1, 1)
    marked, faults, is_whole = read_tree(text.removeprefix("\ufeff"))
    result = resolve_strategy(marked.data, catalogue, overrides) if is_whole else ()
    if isinstance(result, Strategy) and not faults:
        return result
    told = {fault.path for fault in faults if fault.value is not None}
    found = () if isinstance(result, Strategy) else [problem for problem in result if not _is_under(problem, told)]
    raise StrategyError(source, marked.placed([*faults, *found]))


def _is_under(problem: Problem, told: set[tuple[str | int, ...]]) -> bool:
    """A value the reader has already refused, or something in it."""
    return any(problem.path[:length] in told for length in range(len(problem.path) + 1))


def _refused(source: str, rule: str, line: int, column: int) -> StrategyError:
    return StrategyError(source, (Problem((), None, rule, line=line, column=column),))


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except FileNotFoundError as error:
        raise SptraderError(f"there is no strategy file {path}: check the name") from error
    except IsADirectoryError as error:
        raise SptraderError(f"{path} is a folder: name a strategy file in it") from error
    except OSError as error:
        raise SptraderError(f"{path} cannot be read ({error.strerror}): check the file and its permissions") from error
    if len(raw) > LARGEST:
        raise _refused(str(path), f"is larger than {LARGEST // 1024} KiB: no strategy needs that", 1, 1)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise _refused(str(path), "is not UTF-8 text: save it with that encoding", line, column) from error
