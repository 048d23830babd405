"""A strategy as a form: which of its values can be set without writing YAML, in which groups, and from what one chooses."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from sptrader_desktop.core.components import Catalogue
from sptrader_desktop.core.strategy import Scalar
from sptrader_desktop.core.strategy_fields import DECIMALS, REFERENCE, Path
from sptrader_desktop.present.numbers import typed_number
from sptrader_desktop.present.strategy_numbers import given_to, group_of, label_of, numbers, sensible_range, short_label
from sptrader_desktop.present.strategy_schema import TRUTHS, Quantity, key_at
from sptrader_desktop.present.strategy_text import StrategyText, plain_number

NOT_A_FIELD = {"when", "outputs", "use"}


@dataclass(frozen=True, slots=True)
class FormRow:
    """One value. `quantity` is there for a number, `choices` where there are only so many; neither: a text, or true and false."""

    path: Path
    group: str
    label: str
    value: Scalar
    quantity: Quantity | None = None
    choices: tuple[str, ...] = ()
    help: str = ""
    step: Decimal = Decimal(0)

    @property
    def unit(self) -> str:
        return self.quantity.unit if self.quantity else ""

    def shown(self, value: Decimal) -> str:
        """As it stands in the field, in front of its unit."""
        return plain_number(value * 100 if self.unit == "%" else value)

    def number(self, typed: str) -> Decimal:
        """ValueError, with what to do, for what is no valid number of this row."""
        assert self.quantity is not None, "a row of numbers"
        value = typed_number(typed)
        if self.quantity.is_whole and value % 1 != 0:
            raise ValueError("must be a whole number")
        value = value / 100 if self.unit == "%" else value
        if value not in self.quantity.span:
            raise ValueError(self._bounds())
        if value != round(value, DECIMALS):
            raise ValueError("has too many decimals: round it")
        return value

    def moved(self, value: Decimal, steps: int) -> Decimal:
        """So many steps up or down, and no further than is valid."""
        assert self.quantity is not None, "a row of numbers"
        wanted = value + steps * self.step
        return wanted if wanted in self.quantity.span else value

    def _bounds(self) -> str:
        assert self.quantity is not None, "a row of numbers"
        span, unit = self.quantity.span, f" {self.unit}".rstrip()
        low, high = "at least" if span.has_low else "above", "at most" if span.has_high else "below"
        return f"must be {low} {self.shown(span.low)}{unit} and {high} {self.shown(span.high)}{unit}"


def form_rows(text: StrategyText, catalogue: Catalogue | None = None) -> tuple[FormRow, ...]:
    """The writer's own parameters first, then in the order of the file."""
    quantities = {path: quantity for path, _, quantity in numbers(text, catalogue)}
    return tuple(sorted(_rows(text, catalogue, quantities), key=lambda row: row.path[0] != "parameters"))


def _rows(text: StrategyText, catalogue: Catalogue | None, quantities: dict[Path, Quantity]) -> Iterator[FormRow]:
    for path, value in text.scalars():
        if NOT_A_FIELD & set(path) or len(path) < 2 or (isinstance(value, str) and REFERENCE.fullmatch(value)):
            continue
        quantity, choices = quantities.get(path), _choices(text, path, value, catalogue)
        if path[0] != "parameters" and quantity is None and not choices:
            continue
        if isinstance(value, Decimal) and quantity is None:
            continue
        key = key_at(path)
        step = sensible_range(value, quantity)[2] if quantity and isinstance(value, Decimal) else Decimal(0)
        yield FormRow(
            path, group_of(text, path), short_label(path, label_of(text, path)), value, quantity, choices, key.help if key else "", step
        )


def _choices(text: StrategyText, path: Path, value: Scalar, catalogue: Catalogue | None) -> tuple[str, ...]:
    if isinstance(value, bool):
        return TRUTHS
    if not isinstance(value, str):
        return ()
    if "params" in path:
        spec = given_to(text, path, catalogue)
        accepts = spec.parameters.get(str(path[-1])) if spec else None
        return accepts.choices if accepts and value in accepts.choices else ()
    key = key_at(path)
    return key.words if key and value in key.words else ()
