"""The data of a text that differs in plain numbers alone from one that was read before: it has the same shape.

Sliders write such texts many times a second, and to read one from its first character on takes longer than to trade by it.
"""

import re
from decimal import Decimal

from sptrader_desktop.core.strategy_comparisons import NotExactError, exact_number
from sptrader_desktop.core.strategy_fields import Path, Plain
from sptrader_desktop.present.strategy_text import StrategyText

NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?")


def data_like(known: StrategyText, text: str) -> Plain:
    """Nothing where more than numbers differs, or where what was known had a problem."""
    if known.strategy is None:
        return None
    data, here, there = known.data, 0, 0  # so far in what is known, and in the text
    for path in sorted(known.spans, key=lambda path: known.spans[path]):
        start, end = known.spans[path]
        before = known.text[start:end]
        if not NUMBER.fullmatch(before) or not isinstance(known.value(path), Decimal):
            continue
        between = known.text[here:start]
        number = NUMBER.match(text, there + len(between)) if text.startswith(between, there) else None
        if number is None:
            return None
        if number[0] != before:
            try:
                data = _replaced(data, path, exact_number(number[0]))
            except NotExactError:
                return None
        here, there = end, number.end()
    return data if known.text[here:] == text[there:] else None


def _replaced(data: Plain, path: Path, value: Decimal | None) -> Plain:
    """With everything around it made anew, as others look at what was there."""
    if not path:
        return value
    key, inner = path[0], path[1:]
    if isinstance(data, dict) and isinstance(key, str):
        return data | {key: _replaced(data[key], inner, value)}
    assert isinstance(data, list), "a span has the path of a value"
    assert isinstance(key, int), "an entry of a list has a number"
    return [*data[:key], _replaced(data[key], inner, value), *data[key + 1 :]]
