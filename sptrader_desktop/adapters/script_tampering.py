"""What all scripts of a process share: who replaces a function of a library replaces it for the others too, and their numbers change."""

import builtins
import sys
from operator import is_
from types import ModuleType

import pandas as pd

SDK = "sptrader_desktop.sdk"
LIBRARIES = {"builtins", "math", "statistics", "random", "datetime", "json", "numpy", "numpy.linalg", "numpy.random", "pandas"}
Place = ModuleType | type


class Libraries:
    """As they were when this was made; a new name beside the old ones is nobody's business."""

    def __init__(self) -> None:
        self._modules = {name: module for name, module in sys.modules.items() if name in LIBRARIES or name.startswith(SDK)}
        places: tuple[Place, ...] = (*self._modules.values(), *_classes())
        self._before = [(place, dict(vars(place))) for place in places]

    def changed(self) -> str:
        """The first thing that is another than before, or nothing."""
        for name, module in self._modules.items():
            if sys.modules.get(name) is not module:
                return name
        for place, before in self._before:
            now = vars(place)
            if len(now) == len(before) and all(map(is_, before.values(), now.values())):
                continue
            replaced = [name for name, value in before.items() if now.get(name, now) is not value]
            replaced += [name for name in now if name not in before and _hides(place, name)]
            if replaced:
                return f"{place.__name__}.{replaced[0]}"
        return ""


def _hides(place: Place, name: str) -> bool:
    """Found before what was meant: a method of a base class, a function of the language."""
    return any(name in vars(base) for base in (place.__mro__[1:] if isinstance(place, type) else (builtins,)))


def _classes() -> tuple[type, ...]:
    offered = [*vars(pd).values(), *vars(pd.api.typing).values()]
    bases = (base for it in offered if isinstance(it, type) for base in it.__mro__)
    return tuple(dict.fromkeys(base for base in bases if base.__module__.startswith("pandas")))
