"""The look that is in force. Widgets ask for it when they paint; when it changes every widget gets a PaletteChange event."""

from dataclasses import dataclass

from PySide6.QtGui import QColor, QFont

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
        font = QFont(self.fixed_family if fixed else self.family)
        font.setPixelSize(self.pixels(size))
        font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        font.setFeature(QFont.Tag("tnum"), 1)
        return font


_in_force = Look(tokens.DARK, is_dark=True)


def look() -> Look:
    return _in_force


def put_in_force(new: Look) -> None:
    """Called by the theme alone, which tells the application afterwards."""
    global _in_force  # noqa: PLW0603 - one application has one look
    _in_force = new
