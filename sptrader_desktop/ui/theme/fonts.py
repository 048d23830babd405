"""The fonts that travel with the program, so that text and numerals are the same on every machine."""

from PySide6.QtGui import QFontDatabase

from sptrader_desktop.ui.theme.asset_files import ASSETS


def load_fonts() -> frozenset[str]:
    """The families that are now known. A file that cannot be read leaves Qt's own choice in its place."""
    numbers = [QFontDatabase.addApplicationFont(str(path)) for path in sorted((ASSETS / "fonts").glob("*.?tf"))]
    return frozenset(family for number in numbers for family in QFontDatabase.applicationFontFamilies(number))
