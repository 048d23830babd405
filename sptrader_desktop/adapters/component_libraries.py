"""What a component's author installed: which distributions an import brings in, those they require among them, and their versions.

Nothing is imported to find out. What the program itself brings is left out: the keys of answers hold its versions already.
"""

import importlib
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions
from importlib.util import find_spec
from pathlib import Path

OURS = frozenset({"numpy", "pandas", "pyarrow", "sptrader_desktop"})
# Whoever imports these has installed nothing.
NOT_INSTALLED = sys.stdlib_module_names | OURS
OPTIONAL = re.compile(r";.*\bextra\b")


@dataclass(slots=True)
class _Known:
    """As long as no folder that is searched has changed."""

    folders: tuple[tuple[str, int], ...] = ()
    providers: Mapping[str, list[str]] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    files: dict[str, tuple[str, ...]] = field(default_factory=dict)


_known = _Known()


def versions_of(names: Sequence[str]) -> dict[str, str]:
    """By distribution, of all that these imports bring in."""
    if not names:
        return {}
    known, found = _current(), dict[str, str]()
    for name in names:
        if name not in known.versions:
            known.versions[name] = _closure(_providers(known, name))
        found |= known.versions[name]
    return found


def files_of(name: str) -> tuple[str, ...]:
    """The sources of a module that no distribution brought: it has no version that would tell."""
    known = _current()
    if name not in known.files:
        known.files[name] = () if _providers(known, name) else _sources(name)
    return known.files[name]


def _current() -> _Known:
    global _known  # noqa: PLW0603  # one search path, one knowledge of it
    folders = tuple((folder, _changed(folder)) for folder in sys.path)
    if _known.folders != folders:
        importlib.invalidate_caches()
        _known = _Known(folders)
    return _known


def _changed(folder: str) -> int:
    with suppress(OSError):
        return Path(folder).stat().st_mtime_ns
    return 0


def _providers(known: _Known, name: str) -> list[str]:
    if not known.providers:
        known.providers = packages_distributions()
    return known.providers.get(name, [])


def _closure(names: list[str]) -> dict[str, str]:
    """With what they require, but not what they can do without."""
    found: dict[str, str] = {}
    waiting = [_plain(name) for name in names]
    while waiting:
        name = waiting.pop()
        installed = None if name in found or name in OURS else _installed(name)
        if installed is not None:
            found[name] = installed.version
            waiting += [_plain(needed) for needed in installed.requires or () if not OPTIONAL.search(needed)]
    return found


def _installed(name: str) -> Distribution | None:
    with suppress(PackageNotFoundError):
        return distribution(name)
    return None


def _plain(requirement: str) -> str:
    """`Foo.Bar[extra]>=1` is foo-bar."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0]).lower()


def _sources(name: str) -> tuple[str, ...]:
    spec = None
    with suppress(ImportError, ValueError):
        spec = find_spec(name)
    if spec is None:
        return ()
    if spec.submodule_search_locations:
        return tuple(sorted(str(path) for folder in spec.submodule_search_locations for path in Path(folder).rglob("*.py")))
    return (spec.origin,) if spec.origin and spec.origin.endswith(".py") else ()
