"""Strategy files: YAML text to core's `Strategy`, or a `StrategyError` with every problem at its line and column."""

from collections.abc import Mapping
from pathlib import Path

from sptrader_desktop.adapters.marked_data import MarkedData
from sptrader_desktop.adapters.yaml_numbers import data_like
from sptrader_desktop.adapters.yaml_text import LARGEST, all_problems, read_text, too_large
from sptrader_desktop.adapters.yaml_tree import read_tree
from sptrader_desktop.core.components import Catalogue
from sptrader_desktop.core.errors import Problem, StrategyError
from sptrader_desktop.core.strategy import Scalar, Strategy
from sptrader_desktop.core.strategy_rules import resolve_strategy
from sptrader_desktop.present.strategy_text import StrategyText
from sptrader_desktop.present.text_problems import Stretch, placed


def read_strategy(path: Path, catalogue: Catalogue | None = None, overrides: Mapping[str, Scalar] | None = None) -> tuple[Strategy, str]:
    """The strategy and the text it was read from. `overrides` replace its `parameters`; a catalogue checks its components too."""
    text = read_text(path, "strategy")
    return parse_strategy(text, str(path), catalogue, overrides), text


def parse_strategy(
    text: str,
    source: str,
    catalogue: Catalogue | None = None,
    overrides: Mapping[str, Scalar] | None = None,
    known: StrategyText | None = None,
) -> Strategy:
    """`source` is what messages call the text. `known` is a text like it that was examined before."""
    if known is not None and len(text) <= LARGEST and (data := data_like(known, text)) is not None:
        found = resolve_strategy(data, catalogue, overrides)
        if isinstance(found, Strategy):
            return found
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
        return MarkedData(), None, (too_large("strategy"),)
    marked, faults, is_whole = read_tree(text.removeprefix("\ufeff"))
    result = resolve_strategy(marked.data, catalogue, overrides) if is_whole else ()
    if isinstance(result, Strategy) and not faults:
        return marked, result, ()
    return marked, None, all_problems(marked, faults, () if isinstance(result, Strategy) else result)
