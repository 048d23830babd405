"""The numbers of a strategy that a hand may turn: what each counts, which values are valid, and what range a slider for it covers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from sptrader_desktop.core.components import EVENT_STRENGTH, Catalogue, ComponentSpec, ParameterSpec
from sptrader_desktop.core.strategy_fields import DECIMALS, REFERENCE, Path, Span
from sptrader_desktop.present.strategy_schema import Quantity, key_at
from sptrader_desktop.present.strategy_text import StrategyText, plain_number

SMALLEST = Decimal(1).scaleb(-DECIMALS)
WIDEST = Decimal(10**9)
ANY = Quantity(Span(-WIDEST, WIDEST, has_low=True))
STRENGTH = Quantity(Span(Decimal(0), Decimal(1), has_low=True))
GROUPS = {"parameters": "Parameters", "exit": "Exit", "risk": "Risk"}
TEXTS = {"version", "name", "author", "description"}


@dataclass(frozen=True, slots=True)
class SliderSpec:
    """One number at `path`. `minimum` and `maximum` are valid and lie on the grid of `step`; a `unit` of % is written as a fraction."""

    path: Path
    label: str
    value: Decimal
    minimum: Decimal
    maximum: Decimal
    step: Decimal
    unit: str = ""
    is_whole: bool = False
    group: str = ""

    @property
    def short(self) -> str:
        """Below the group."""
        return short_label(self.path, self.label)

    def shown(self, value: Decimal) -> str:
        """As a person reads it: 0.02 of unit % is `2 %`."""
        number = plain_number(value * 100 if self.unit == "%" else value)
        return f"{number} {self.unit}".strip()

    def snapped(self, position: Decimal) -> Decimal:
        """The valid value nearest to where the hand is."""
        steps = ((position - self.minimum) / self.step).to_integral_value()
        return min(max(self.minimum + steps * self.step, self.minimum), self.maximum)


def sliders(text: StrategyText, catalogue: Catalogue | None = None, before: Sequence[SliderSpec] = ()) -> tuple[SliderSpec, ...]:
    """Every number but those that events are compared with. A slider that was there `before` keeps its range while its value is in it."""
    ranges = {spec.path: spec for spec in before}
    return tuple(_slider(text, path, value, quantity, ranges.get(path)) for path, value, quantity in numbers(text, catalogue))


def numbers(text: StrategyText, catalogue: Catalogue | None = None) -> Iterator[tuple[Path, Decimal, Quantity]]:
    """In the order of the file: where, what, and what it counts."""
    users = _users(text)
    for path, value in text.scalars():
        if not isinstance(value, Decimal) or not value.is_finite() or "outputs" in path or path[0] in TEXTS:
            continue
        quantity = quantity_of(text, path, catalogue)
        if quantity is None and path[0] == "parameters":
            found = (quantity_of(text, user, catalogue) for user in users.get(str(path[-1]), ()))
            quantity = next((each for each in found if each), ANY)
        if quantity is not None and value in quantity.span:
            yield path, value, quantity


def quantity_of(text: StrategyText, path: Path, catalogue: Catalogue | None = None) -> Quantity | None:
    """What a number at `path` counts; None where the file's own words do not say."""
    if len(path) > 1 and path[-2] == "params":
        spec = given_to(text, path, catalogue)
        accepts = spec.parameters.get(str(path[-1])) if spec else None
        return accepted(accepts) if accepts else ANY
    if "outputs" in path:
        return STRENGTH if path[-1] == EVENT_STRENGTH else None
    key = key_at(path)
    if key is None:
        return None
    if key.by:
        beside = text.value((*path[:-1], key.by))
        return key.quantities.get(beside) if isinstance(beside, str) else None
    return key.quantity


def given_to(text: StrategyText, path: Path, catalogue: Catalogue | None) -> ComponentSpec | None:
    """The signal whose `params` hold `path`."""
    at = path.index("params") if "params" in path else len(path)
    used = text.value((*path[:at], "use"))
    spec = catalogue.found.get(used) if catalogue and isinstance(used, str) else None
    return spec if isinstance(spec, ComponentSpec) else None


def accepted(accepts: ParameterSpec) -> Quantity:
    """The numbers that a component's parameter takes."""
    low, high = (bound if bound is not None else wide for bound, wide in ((accepts.low, -WIDEST), (accepts.high, WIDEST)))
    return Quantity(Span(low, high, has_low=True), is_whole=accepts.type == "int")


def _users(text: StrategyText) -> dict[str, list[Path]]:
    """Where each parameter is referred to."""
    users: dict[str, list[Path]] = {}
    for path, value in text.scalars():
        if isinstance(value, str):
            for name in REFERENCE.findall(value):
                users.setdefault(name, []).append(path)
    return users


def label_of(text: StrategyText, path: Path) -> str:
    """`fast_period`, `ma_crossover · fast_period`, `entry 2 · size · value`."""
    if path[0] == "parameters":
        return str(path[-1])
    if "params" in path:
        used = text.value((*path[: path.index("params")], "use"))
        return f"{str(used).rpartition('.')[2]} · {path[-1]}"
    words: list[str] = []
    for name in path:
        if isinstance(name, int) and words:
            words[-1] += f" {name + 1}"
        else:
            words.append(str(name))
    return " · ".join(words)


def group_of(text: StrategyText, path: Path) -> str:
    """What stands above it and its like."""
    if path[0] == "entry":
        entries = text.value(("entry",))
        return f"Entry {int(path[1]) + 1}" if isinstance(entries, list) and isinstance(path[1], int) else "Entry"
    if "params" in path:
        return label_of(text, path).partition(" · ")[0]
    return GROUPS.get(str(path[0]), str(path[0]))


def short_label(path: Path, label: str) -> str:
    """Without the group."""
    return label if path[0] == "parameters" else label.partition(" · ")[2] or label


def _slider(text: StrategyText, path: Path, value: Decimal, quantity: Quantity, before: SliderSpec | None) -> SliderSpec:
    label, group = label_of(text, path), group_of(text, path)
    is_alike = before is not None and (before.unit, before.is_whole) == (quantity.unit, quantity.is_whole)
    if before is not None and is_alike and before.minimum <= value <= before.maximum:
        return SliderSpec(path, label, value, before.minimum, before.maximum, before.step, before.unit, before.is_whole, group)
    return SliderSpec(path, label, value, *sensible_range(value, quantity), quantity.unit, quantity.is_whole, group)


def sensible_range(value: Decimal, quantity: Quantity) -> tuple[Decimal, Decimal, Decimal]:
    """Smallest, largest, step: about a quarter of the value to four times it, on round numbers, and nowhere invalid."""
    least = Decimal(1) if quantity.is_whole else SMALLEST
    size = abs(value) or (Decimal(4) if quantity.is_whole else min(Decimal(1), quantity.span.high) / 50)
    step = max(_round_step(size / (100 if quantity.is_whole else 20)), least)
    near, far = (size / 4 if value else -size if quantity.span.low < 0 else Decimal(0)), max(size * 4, step * 8)
    low, high = (-far, -near) if value < 0 else (near, far)
    return *_valid(_down(low, step), _up(high, step), step, quantity.span, value), step


def _valid(low: Decimal, high: Decimal, step: Decimal, span: Span, value: Decimal) -> tuple[Decimal, Decimal]:
    """Ends that are no values are moved inwards by a step, as long as the value stays between them."""
    low, high = max(low, span.low), min(high, span.high)
    if low not in span:
        low = min(low + step, value)
    if high not in span:
        high = max(high - step, value)
    return low, high


def _round_step(size: Decimal) -> Decimal:
    """The largest 1, 2 or 5 times a power of ten that is not above `size`."""
    power = Decimal(1).scaleb(size.adjusted())
    return next(power * digit for digit in (5, 2, 1) if power * digit <= size)


def _down(number: Decimal, step: Decimal) -> Decimal:
    return (number / step).to_integral_value(ROUND_FLOOR) * step


def _up(number: Decimal, step: Decimal) -> Decimal:
    return (number / step).to_integral_value(ROUND_CEILING) * step
