"""Which files a component's answer depends on, and their hash: its own source, what it imports from beside it, its indicators'.

Of what its author installed, the versions.
"""

import ast
import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sptrader_desktop.adapters.component_libraries import NOT_INSTALLED, files_of, versions_of
from sptrader_desktop.core.components import Catalogue
from sptrader_desktop.core.errors import ComponentError

# A file written this lately may be written again without its time or size telling.
SETTLED_NS = 2_000_000_000
IMPORTERS = {"import_module", "__import__"}


@dataclass(frozen=True, slots=True)
class _Seen:
    signature: tuple[int, int, int]
    digest: bytes
    beside: tuple[str, ...]
    foreign: tuple[str, ...]


class ComponentSources:
    """Files are read again when they change; asking costs one `stat` a file."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._seen: dict[str, _Seen] = {}

    def fingerprint(self, component: str) -> str:
        spec = self._catalogue.component(component)
        sources = [spec.source, *(self._catalogue.indicator(item.type).source for item in spec.required_indicators)]
        digest, loads = hashlib.sha256(), dict[str, str]()
        for source in sources:
            looked = [*self._with_imported(source)]
            for seen in looked:
                digest.update(seen.digest)
            loads |= self._loads(looked)
        digest.update("".join(f"{name} {state}\n" for name, state in sorted(loads.items())).encode())
        return digest.hexdigest()

    def loads(self, source: str) -> Mapping[str, str]:
        """What stays in a process that has run it: the version of each distribution, the hash of each file that none brought."""
        return self._loads([*self._with_imported(source)])

    def _loads(self, looked: Sequence[_Seen]) -> Mapping[str, str]:
        names = {name for seen in looked for name in seen.foreign}
        files = [path for name in names for path in files_of(name)]
        return versions_of(sorted(names)) | {path: self._look(path).digest.hex() for path in files}

    def _with_imported(self, source: str) -> Iterator[_Seen]:
        """The file first, then what it imports from its own folder or where nobody versions it, and what that imports."""
        found = [source]
        for path in found:
            yield (seen := self._look(path))
            found.extend(sorted({*seen.beside, *(file for name in seen.foreign for file in files_of(name))} - set(found)))

    def _look(self, path: str) -> _Seen:
        try:
            status = Path(path).stat()
            signature = (status.st_mtime_ns, status.st_size, status.st_ino)
            seen = self._seen.get(path)
            if seen is not None and seen.signature == signature:
                return seen
            source = Path(path).read_bytes()
        except OSError as error:
            raise ComponentError(f"{path} cannot be read ({error.strerror}): check the file and its permissions") from error
        names = sorted(_imported(source))
        beside = {name: tuple(_beside(Path(path), name)) for name in names}
        foreign = tuple(name for name in names if not beside[name] and name not in NOT_INSTALLED)
        seen = _Seen(signature, hashlib.sha256(source).digest(), tuple(file for files in beside.values() for file in files), foreign)
        if time.time_ns() - status.st_mtime_ns > SETTLED_NS:
            self._seen[path] = seen
        return seen


@lru_cache(maxsize=512)
def _imported(source: bytes) -> frozenset[str]:
    """The first part of every name that is imported, also of those that a call names."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()  # running it will say so
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                names |= {alias.name for alias in node.names}
            case ast.ImportFrom(module=str(name), level=0):
                names.add(name)
            case ast.Call(func=ast.Attribute(attr=called) | ast.Name(id=called), args=[ast.Constant(str(name)), *_]) if called in IMPORTERS:
                names.add(name)
    return frozenset(name.partition(".")[0] for name in names) - {""}


def _beside(path: Path, name: str) -> Iterator[str]:
    """Files of the same folder that an import of this name means."""
    neighbour = path.with_name(f"{name}.py")
    if neighbour != path and neighbour.is_file():
        yield str(neighbour)
    yield from sorted(map(str, path.with_name(name).rglob("*.py")))
