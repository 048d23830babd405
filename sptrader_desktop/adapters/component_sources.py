"""Which files a component's answer depends on, and their hash: its own source, what it imports from beside it, its indicators'."""

import ast
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sptrader_desktop.core.components import Catalogue
from sptrader_desktop.core.errors import ComponentError

# A file written this lately may be written again without its time or size telling.
SETTLED_NS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class _Seen:
    signature: tuple[int, int, int]
    digest: bytes
    beside: tuple[str, ...]


class ComponentSources:
    """Files are read again when they change; asking costs one `stat` a file."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._seen: dict[str, _Seen] = {}

    def fingerprint(self, component: str) -> str:
        spec = self._catalogue.component(component)
        sources = [spec.source, *(self._catalogue.indicator(item.type).source for item in spec.required_indicators)]
        digest = hashlib.sha256()
        for source in sources:
            for path in self._with_imported(source):
                digest.update(self._look(path).digest)
        return digest.hexdigest()

    def _with_imported(self, source: str) -> Iterator[str]:
        """The file first, then what it imports from its own folder, and what that imports."""
        found = [source]
        for path in found:
            yield path
            found.extend(sorted(set(self._look(path).beside) - set(found)))

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
        seen = _Seen(signature, hashlib.sha256(source).digest(), tuple(_beside(Path(path), source)))
        if time.time_ns() - status.st_mtime_ns > SETTLED_NS:
            self._seen[path] = seen
        return seen


def _beside(path: Path, source: bytes) -> Iterator[str]:
    """Files of the same folder that the source imports."""
    for name in _imported(source):
        neighbour = path.with_name(f"{name}.py")
        if neighbour != path and neighbour.is_file():
            yield str(neighbour)
        yield from sorted(map(str, path.with_name(name).rglob("*.py")))


@lru_cache(maxsize=512)
def _imported(source: bytes) -> tuple[str, ...]:
    """The first parts of the names."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()  # running it will say so
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return tuple(sorted(names))
