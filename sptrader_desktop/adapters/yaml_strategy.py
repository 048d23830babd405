"""Strategy files: YAML text to core's `Strategy`, or a `StrategyError` with every problem at its line and column."""

from collections.abc import Mapping
from pathlib import Path

from sptrader_desktop.adapters.marked_data import MarkedData
from sptrader_desktop.adapters.yaml_tree import read_tree
from sptrader_desktop.core.components import Catalogue
from sptrader_desktop.core.errors import Problem, SptraderError, StrategyError
from sptrader_desktop.core.strategy import Scalar, Strategy
from sptrader_desktop.core.strategy_rules import resolve_strategy
from sptrader_desktop.present.strategy_text import StrategyText
from sptrader_desktop.present.text_problems import Stretch, placed

LARGEST = 64 * 1024
TOO_LARGE = f"is larger than {LARGEST // 1024} KiB: no strategy needs that"


def read_strategy(path: Path, catalogue: Catalogue | None = None, overrides: Mapping[str, Scalar] | None = None) -> tuple[Strategy, str]:
    """The strategy and the text it was read from. `overrides` replace its `parameters`; a catalogue checks its components too."""
    text = _read_text(path)
    return parse_strategy(text, str(path), catalogue, overrides), text


def parse_strategy(text: str, source: str, catalogue: Catalogue | None = None, overrides: Mapping[str, Scalar] | None = None) -> Strategy:
    """`source` is what messages call the text."""
    _, strategy, problems = _examined(text, catalogue, overrides)
    if strategy is None:
        raise StrategyError(source, problems)
    return strategy


def examine_strategy(text: str, catalogue: Catalogue | None = None) -> StrategyText:
    """What an editor wants to know of a text that somebody is still writing, without a mark of its encoding; it never raises."""
    marked, strategy, problems = _examined(text, catalogue, None)
    spans = {path: Stretch(*span) for path, span in marked.spans.items()}
    return StrategyText(text, marked.data, spans, tuple(placed(text, problem, spans) for problem in problems), strategy)


def _examined(
    text: str, catalogue: Catalogue | None, overrides: Mapping[str, Scalar] | None
) -> tuple[MarkedData, Strategy | None, tuple[Problem, ...]]:
    if len(text) > LARGEST:
        return MarkedData(), None, (Problem((), None, TOO_LARGE, line=1, column=1),)
    marked, faults, is_whole = read_tree(text.removeprefix("\ufeff"))
    result = resolve_strategy(marked.data, catalogue, overrides) if is_whole else ()
    if isinstance(result, Strategy) and not faults:
        return marked, result, ()
    told = {fault.path for fault in faults if fault.value is not None}
    found = () if isinstance(result, Strategy) else [problem for problem in result if not _is_under(problem, told)]
    return marked, None, marked.placed([*faults, *found])


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
        raise _refused(str(path), TOO_LARGE, 1, 1)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise _refused(str(path), "is not UTF-8 text: save it with that encoding", line, column) from error
