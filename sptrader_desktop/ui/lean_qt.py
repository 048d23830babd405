"""Qt for Python without what it does at every later import: it would read the source of each module, numba's and pandas' too, and keep it,
to see whether the module asks for Qt's names in another style. Here none does.
"""

from contextlib import suppress
from importlib import import_module


def load_qt() -> None:
    """To be called before all that is large is imported."""
    import_module("PySide6.QtCore")
    with suppress(ImportError):  # a release that has no such thing any more is only slower
        vars(import_module("shibokensupport.feature"))["_mod_uses_pyside"] = lambda _module: False
