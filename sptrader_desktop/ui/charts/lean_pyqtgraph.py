"""pyqtgraph without what takes longest to load and no chart uses: its other items and widgets, and a copy of every class of Qt, for which
Qt for Python would have to make them all.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import PySide6.QtCore
import PySide6.QtGui
import PySide6.QtWidgets

COPIES = {f"pyqtgraph.Qt.{qt.__name__.rpartition('.')[2]}": qt for qt in (PySide6.QtCore, PySide6.QtGui, PySide6.QtWidgets)}
FOLDERS = {"pyqtgraph.graphicsItems", "pyqtgraph.widgets"}
# Of these folders: what charts inherit, and what that is made of.
NEEDED = set(
    "AxisItem GraphicsItem GraphicsLayout GraphicsObject GraphicsView GraphicsWidget GraphicsWidgetAnchor ItemGroup LabelItem "
    "UIGraphicsItem ViewBox".split()
)
LEFT_OUT = {"pyqtgraph.imageview", "pyqtgraph.parametertree"}


class _Copy(ModuleType):
    """Of a module of Qt: has each name when it is asked for it."""

    def __getattr__(self, name: str) -> object:
        found = getattr(COPIES[self.__name__], name)
        self.__dict__[name] = found
        return found


class _Nothing(ModuleType):
    """Stands for a module that is left out while others take names from it."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


class _Lean(MetaPathFinder, Loader):
    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname in COPIES or _is_left_out(fullname) else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Copy(spec.name) if spec.name in COPIES else _Nothing(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


def _is_left_out(module: str) -> bool:
    folder, _, name = module.rpartition(".")
    return module in LEFT_OUT or (folder in FOLDERS and name not in NEEDED)


@contextmanager
def _lean() -> Iterator[None]:
    """What is left out is there again for whoever imports it afterwards."""
    finder, listing = _Lean(), {qt: vars(qt)["__dir__"] for qt in COPIES.values() if "__dir__" in vars(qt)}
    sys.meta_path.insert(0, finder)
    for qt in listing:
        vars(qt)["__dir__"] = list  # so that there is nothing to copy
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for qt, before in listing.items():
            vars(qt)["__dir__"] = before
        for name in [name for name, module in sys.modules.items() if isinstance(module, _Nothing)]:
            del sys.modules[name]


def load_pyqtgraph() -> None:
    """To be called before a chart is imported; where it was not, pyqtgraph is loaded whole."""
    if "pyqtgraph" not in sys.modules:
        with _lean():
            import_module("pyqtgraph")
