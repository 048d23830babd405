"""The look that is in force. Widgets ask for it when they paint; when it changes every widget gets a PaletteChange event."""

from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtGui import QColor, QFont, QFontMetricsF

from sptrader_desktop.ui.theme import tokens


@dataclass(frozen=True, slots=True)
class Look:
    """`scale` is by how much text and controls are larger than the program was started with."""

    colours: tokens.Colours
    is_dark: bool
    scale: float = 1.0
    family: str = "Inter"
    fixed_family: str = "JetBrains Mono"

    def colour(self, role: str, alpha: int = 255) -> QColor:
        """The colour of a role, such as `text` or `up`; `series` by number is `line_colour`."""
        colour = QColor(getattr(self.colours, role))
        colour.setAlpha(alpha)
        return colour

    def line_colour(self, number: int) -> QColor:
        return QColor(self.colours.series[number % len(self.colours.series)])

    def pixels(self, size: int) -> int:
        """A token's size at this scale."""
        return round(size * self.scale)

    def font(self, size: int = tokens.BODY, *, bold: bool = False, fixed: bool = False) -> QFont:
        """Text in one of the three sizes; numerals are tabular, so that columns stand still."""
        return QFont(_font(self.fixed_family if fixed else self.family, self.pixels(size), bold))

    def width(self, text: str, size: int = tokens.BODY, *, bold: bool = False) -> float:
        """Of a text, in logical pixels."""
        return _width(self.family, self.pixels(size), bold, text)


# Charts ask for the same few fonts and texts some hundred times a second.


@lru_cache(maxsize=64)
def _font(family: str, pixels: int, is_bold: bool) -> QFont:
    font = QFont(family)
    font.setPixelSize(pixels)
    font.setWeight(QFont.Weight.DemiBold if is_bold else QFont.Weight.Normal)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


@lru_cache(maxsize=4096)
def _width(family: str, pixels: int, is_bold: bool, text: str) -> float:
    return QFontMetricsF(_font(family, pixels, is_bold)).horizontalAdvance(text)


_in_force = Look(tokens.DARK, is_dark=True)


def look() -> Look:
    return _in_force


def put_in_force(new: Look) -> None:
    """Called by the theme alone, which tells the application afterwards."""
    global _in_force  # noqa: PLW0603 - one application has one look
    _in_force = new
    _font.cache_clear()  # some may have come since
    _width.cache_clear()
