"""A strategy with some of its numbers turned by hand: which they are, what the text is then, and how far a hand has gone."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from sptrader_desktop.core.strategy import Scalar
from sptrader_desktop.core.strategy_fields import Path
from sptrader_desktop.present.numbers import typed_number
from sptrader_desktop.present.strategy_numbers import SliderSpec
from sptrader_desktop.present.strategy_text import StrategyText


def with_parameters(text: StrategyText, given: Mapping[str, Scalar]) -> str:
    """As a run had it that was given these instead; what is no single value in the text has no place for one."""
    return with_values(text, {path: given[str(path[1])] for path, _ in text.scalars() if path[:-1] == ("parameters",) and path[1] in given})


def without_place(text: StrategyText, params: Sequence[str]) -> tuple[str, ...]:
    """Those of a run that no single value of the text stands for, for it is empty or a list: every turn is given them anew."""
    written = {path[1] for path, _ in text.scalars() if path[:-1] == ("parameters",)}
    return tuple(item for item in params if item.partition("=")[0] not in written)


def with_values(text: StrategyText, values: Mapping[Path, Scalar]) -> str:
    """Every other character is kept; the last change in the text is made first, so that the others still stand where they stood."""
    made = text.text
    for (start, end), new in sorted((text.edit(path, value) for path, value in values.items()), reverse=True):
        made = made[:start] + new + made[end:]
    return made


def steps_of(spec: SliderSpec) -> int:
    return int((spec.maximum - spec.minimum) / spec.step)


def step_at(spec: SliderSpec, value: Decimal) -> int:
    return int(((value - spec.minimum) / spec.step).to_integral_value())


def value_at(spec: SliderSpec, step: int) -> Decimal:
    return spec.snapped(spec.minimum + step * spec.step)


def typed(spec: SliderSpec, words: str) -> Decimal:
    """What a person wrote, with or without its unit. ValueError, with what to do, where that is none of the slider's, or may be two."""
    number = words.strip().removesuffix(spec.unit).strip() if spec.unit else words.strip()
    value = typed_number(number)
    value = value / 100 if spec.unit == "%" else value
    if spec.is_whole and value % 1 != 0:
        raise ValueError("must be a whole number")
    if not spec.minimum <= value <= spec.maximum:
        raise ValueError(f"must be from {spec.shown(spec.minimum)} to {spec.shown(spec.maximum)}")
    return value
