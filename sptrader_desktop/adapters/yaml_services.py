"""The file `services.yaml` of a workspace: text to a `ServicesConfig`, or every problem at its line and column, as in a strategy file."""

from pathlib import Path

from sptrader_desktop.adapters.yaml_text import LARGEST, all_problems, read_text, too_large
from sptrader_desktop.adapters.yaml_tree import read_tree
from sptrader_desktop.core.errors import StrategyError
from sptrader_desktop.runtime.live.services_config import ServicesConfig, resolve_services

WHAT = "services"


def read_services(path: Path) -> ServicesConfig:
    return parse_services(read_text(path, WHAT), str(path))


def parse_services(text: str, source: str) -> ServicesConfig:
    """`source` is what messages call the text."""
    if len(text) > LARGEST:
        raise StrategyError(source, (too_large(WHAT),))
    marked, faults, is_whole = read_tree(text.removeprefix("\ufeff"), f"{WHAT} file", WHAT)
    result = resolve_services(marked.data) if is_whole else ()
    if isinstance(result, ServicesConfig) and not faults:
        return result
    raise StrategyError(source, all_problems(marked, faults, () if isinstance(result, ServicesConfig) else result))
