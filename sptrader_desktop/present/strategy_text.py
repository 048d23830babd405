"""A strategy's text as an editor knows it: its values and where each stands, what is wrong, and how one value is changed in place.

Who reads YAML hands this out (`examine_strategy`); nothing here knows the language beyond how one scalar is written.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sptrader_desktop.core.strategy import Scalar, Strategy
from sptrader_desktop.core.strategy_fields import Path, Plain
from sptrader_desktop.present.text_problems import Stretch, TextProblem

# A text that is safe without quotes wherever it stands: no number, no truth, nothing that starts something else.
PLAIN_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
NOT_TEXT = {"true", "false", "null"}


@dataclass(frozen=True, slots=True, eq=False)
class StrategyText:
    """`strategy` is there when the text has no problem; `data` as far as it could be read; `spans` say where each scalar stands."""

    text: str
    data: Plain
    spans: Mapping[Path, Stretch]
    problems: tuple[TextProblem, ...]
    strategy: Strategy | None

    def value(self, path: Path) -> Plain:
        """None also where nothing stands."""
        found = self.data
        for key in path:
            if isinstance(found, dict) and isinstance(key, str):
                found = found.get(key)
            elif isinstance(found, list) and isinstance(key, int) and key < len(found):
                found = found[key]
            else:
                return None
        return found

    def scalars(self) -> Iterator[tuple[Path, Scalar]]:
        """Every value that is written, in the order of the file."""
        for path in sorted(self.spans, key=lambda path: self.spans[path]):
            value = self.value(path)
            if isinstance(value, Decimal | str | bool):
                yield path, value

    def edit(self, path: Path, value: Scalar) -> tuple[Stretch, str]:
        """Which characters give way to what, so that `value` stands at `path`. KeyError where no single value stands."""
        start, end = self.spans[path]
        # A text in lines of its own ends with the line break before the next key.
        end = start + len(self.text[start:end].rstrip())
        return Stretch(start, end), written(value, self.text[start:end])

    def with_value(self, path: Path, value: Scalar) -> str:
        """The text with one value changed and every other character kept."""
        (start, end), new = self.edit(path, value)
        return self.text[:start] + new + self.text[end:]


def written(value: Scalar, before: str = "") -> str:
    """How YAML writes a value, quoted like what it replaces."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain_number(value)
    if before[:1] not in {"'", '"'} and PLAIN_WORD.fullmatch(value) and value.lower() not in NOT_TEXT:
        return value
    if before[:1] == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return '"' + "".join(_quoted(letter) for letter in value) + '"'


def _quoted(letter: str) -> str:
    if letter in {'"', "\\"}:
        return f"\\{letter}"
    return letter if letter.isprintable() else f"\\U{ord(letter):08X}"


def plain_number(number: Decimal) -> str:
    """Without an exponent and without zeros that say nothing."""
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text
