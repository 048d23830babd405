"""Values of our own kinds as JSON and back: the same kind, the same order, the same bits. What it does not know it refuses.

`copied` is what must happen at once, before anything changes; `plain` may be asked of the copy at leisure, on another thread.
"""

import sys
from collections import deque
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

PACKAGE = "sptrader_desktop."
ATOMS = frozenset({type(None), bool, int, float, str})
AS_THEY_ARE = ATOMS | {tuple}


class Inside(dict[str, Any]):
    """The attributes of an object that is put back in its place."""


class _Row(NamedTuple):
    """A record that may change, as it was."""

    kind: type
    values: tuple[Any, ...]


def copied(value: Any) -> Any:
    kind: Any = type(value)
    if kind in AS_THEY_ARE:
        return value
    if kind is list:
        return [each if type(each) in AS_THEY_ARE else copied(each) for each in value]
    if kind is dict:
        return {key: each if type(each) in AS_THEY_ARE else copied(each) for key, each in value.items()}
    if kind is deque:
        return deque((each if type(each) in AS_THEY_ARE else copied(each) for each in value), value.maxlen)
    if kind is set or isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, np.generic):
        return value.item()
    if not _is_ours(kind):
        raise TypeError(f"{kind.__name__} is nothing that is remembered")
    return _Row(kind, tuple(map(copied, _values(kind)(value)))) if _may_change(kind) else value


def plain(value: Any) -> Any:
    kind: Any = type(value)
    if kind in ATOMS:
        return value
    if kind is list:
        return [each if type(each) in ATOMS else plain(each) for each in value]
    if kind is tuple:
        return {"tuple": [plain(each) for each in value]}
    if kind is dict:
        return {"dict": [[plain(key), plain(each)] for key, each in value.items()]}
    if kind is Inside:
        return {"inside": {name: plain(each) for name, each in value.items()}}
    if kind is _Row:
        return {"record": [_path(value.kind), *map(plain, value.values)]}
    if kind is deque:
        return {"deque": [value.maxlen, *map(plain, value)]}
    if kind is set:
        return {"set": sorted(map(plain, value))}
    if isinstance(value, np.ndarray):
        return {"array": [value.dtype.str, value.tolist()]}
    if isinstance(value, Enum):
        return {"record": [_path(kind), value.value]}
    if not _is_ours(kind):
        raise TypeError(f"{kind.__name__} is nothing that is remembered")
    return {"record": [_path(kind), *map(plain, _values(kind)(value))]}


def revived(found: Any) -> Any:
    """ValueError where nothing of ours would have written that."""
    if type(found) is list:
        return [each if type(each) in ATOMS else revived(each) for each in found]
    if type(found) is not dict:
        return found
    try:
        ((how, content),) = found.items()
        return _REVIVED[how](content)
    except (KeyError, TypeError, AttributeError, ImportError) as error:
        raise ValueError(f"what was remembered cannot be understood ({type(error).__name__}: {error})") from None


def _record(content: list[Any]) -> Any:
    path, *values = content
    return _kind(path)(*[each if type(each) in ATOMS else revived(each) for each in values])


def _deque(content: list[Any]) -> deque[Any]:
    most, *values = content
    return deque(map(revived, values), most)


_REVIVED: dict[str, Callable[[Any], Any]] = {
    "tuple": lambda content: tuple(map(revived, content)),
    "dict": lambda content: {revived(key): revived(each) for key, each in content},
    "inside": lambda content: Inside({name: revived(each) for name, each in content.items()}),
    "record": _record,
    "deque": _deque,
    "set": lambda content: set(map(revived, content)),
    "array": lambda content: np.array(content[1], np.dtype(content[0])),
}


@cache
def _is_ours(kind: Any) -> bool:
    is_record = is_dataclass(kind) or issubclass(kind, Enum) or (issubclass(kind, tuple) and hasattr(kind, "_fields"))
    return is_record and kind.__module__.startswith(PACKAGE)


@cache
def _may_change(kind: Any) -> bool:
    return hasattr(kind, "__dataclass_params__") and not kind.__dataclass_params__.frozen


@cache
def _values(kind: Any) -> Callable[[Any], tuple[Any, ...]]:
    if not is_dataclass(kind):
        return tuple
    names = [item.name for item in fields(kind)]
    if len(names) > 1:
        return attrgetter(*names)
    return lambda record: tuple(getattr(record, name) for name in names)


@cache
def _path(kind: Any) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


@cache
def _kind(path: str) -> type:
    """Only records of ours, of modules that are loaded: nothing is run for the sake of what stands in a file."""
    module, _, name = path.partition(":")
    kind = getattr(sys.modules[module], name)
    if not (isinstance(kind, type) and _is_ours(kind)):
        raise ValueError(f"{path} is no record of ours")
    return kind
