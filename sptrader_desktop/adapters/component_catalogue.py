"""Which components a workspace holds: their metadata is read as literals from the source, and no line of theirs is run.

A component that cannot be read stands in the catalogue as its error, so that it stops only what depends on it.
"""

import ast
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from sptrader_desktop.adapters.marked_data import MarkedData
from sptrader_desktop.core import strategy_fields
from sptrader_desktop.core.component_metadata import ComponentFile, read_metadata
from sptrader_desktop.core.components import Catalogue, ComponentSpec
from sptrader_desktop.core.errors import ComponentError, SptraderError
from sptrader_desktop.core.strategy_fields import Plain

VERSION = 2
LARGEST = 1024 * 1024
METHODS = {"indicators": "calculate", "signals": "evaluate"}


def load_catalogue(workspace: Path) -> Catalogue:
    """`workspace` holds `core/indicators/<family>/*.py` and `core/signals/*.py`; files whose names start with _ are the writer's own."""
    core = workspace / "core"
    if not core.is_dir():
        raise SptraderError(f"{workspace} is no workspace, it has no folder core: choose another folder")
    patterns = {"indicators": "indicators/*/*.py", "signals": "signals/*.py"}
    found: dict[str, ComponentSpec | ComponentError] = {}
    for kind, pattern in patterns.items():
        for path in sorted(core.glob(pattern)):
            if not path.name.startswith("_"):
                found[".".join(path.relative_to(core).with_suffix("").parts)] = _read(path, core, kind)
    return Catalogue(_with_requirements_met(found))


def _with_requirements_met(found: dict[str, ComponentSpec | ComponentError]) -> dict[str, ComponentSpec | ComponentError]:
    catalogue = Catalogue(found)
    checked = dict(found)
    for dotted, spec in found.items():
        if isinstance(spec, ComponentSpec) and (unmet := catalogue.unmet(spec)):
            checked[dotted] = ComponentError(f"{spec.source}:{spec.line}: {unmet}")
    return checked


def _read(path: Path, core: Path, kind: str) -> ComponentSpec | ComponentError:
    try:
        return read_component(path, core, kind)
    except ComponentError as error:
        return error


def core_of(script: Path) -> Path:
    """The folder that dotted names start in, for one file of it."""
    core = next((folder for folder in script.resolve().parents if folder.name == "core"), None)
    if core is None:
        raise ComponentError(f"{script}: a component lives in a workspace's core folder: core/indicators/<family> or core/signals")
    return core


def component_at(script: Path) -> ComponentSpec:
    """One component by its file. What it requires is not looked at."""
    status = script.stat()
    return _component_at(script, (status.st_mtime_ns, status.st_size))


@lru_cache(maxsize=256)
def _component_at(script: Path, _written: tuple[int, int]) -> ComponentSpec:
    core = core_of(script)
    kind = script.resolve().relative_to(core).parts[0]
    if kind not in METHODS:
        raise ComponentError(f"{script}: a component lives in core/indicators/<family> or core/signals")
    return replace(read_component(script.resolve(), core, kind), source=str(script))


def read_component(path: Path, core: Path, kind: str, source: bytes | None = None) -> ComponentSpec:
    """`core` is the folder that dotted names start in, `kind` is `indicators` or `signals`; a `source` is read in place of the file."""
    return _understood(_source(path) if source is None else source, path, core, kind)


@lru_cache(maxsize=512)
def _understood(source: bytes, path: Path, core: Path, kind: str) -> ComponentSpec:
    """Every run of a session reads the whole catalogue again, and seldom has a file changed."""
    module = _parsed(source, path)
    assigned = _assignments(module)
    version = assigned.get("__metadata_version__")
    if version is None or ast.dump(version) != ast.dump(ast.Constant(VERSION)):
        line = version.lineno if version is not None else 1
        raise ComponentError(f"{path}:{line}: __metadata_version__ must be {VERSION}: write it above __metadata__")
    metadata = assigned.get("__metadata__")
    if metadata is None:
        raise ComponentError(f"{path}:1: __metadata__ is missing: say there what the component is called, takes and yields")
    marked = MarkedData()
    marked.data = _literal(metadata, (), marked, path)
    dotted = ".".join(path.relative_to(core).with_suffix("").parts)
    spec = read_metadata(marked.data, ComponentFile(dotted, _class_name(module, METHODS[kind], path), str(path), metadata.lineno))
    if isinstance(spec, ComponentSpec):
        return spec
    shown = (replace(problem, path=problem.path or ("__metadata__",)) for problem in marked.placed(spec))
    raise ComponentError("\n".join(f"{path}:{problem.line}: {problem.sentence()}" for problem in shown))


def _source(path: Path) -> bytes:
    if path.is_fifo():
        raise ComponentError(f"{path} is a pipe, reading it might never end: put a file in its place")
    try:
        with path.open("rb") as file:
            source = file.read(LARGEST + 1)
    except OSError as error:
        raise ComponentError(f"{path} cannot be read ({error.strerror}): check the file and its permissions") from error
    if len(source) > LARGEST:
        raise ComponentError(f"{path} is larger than {LARGEST // 1024} KiB: no component needs that")
    return source


def _parsed(source: bytes, path: Path) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError as error:
        raise ComponentError(f"{path}:{error.lineno or 1}: is not Python: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ComponentError(f"{path}:1: is not Python: it holds a null character or is nested too deeply") from error


def _assignments(module: ast.Module) -> dict[str, ast.expr]:
    found: dict[str, ast.expr] = {}
    for statement in module.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                found[name] = value
    return found


def _class_name(module: ast.Module, method: str, path: Path) -> str:
    having = [
        statement.name
        for statement in module.body
        if isinstance(statement, ast.ClassDef) and any(isinstance(part, ast.FunctionDef) and part.name == method for part in statement.body)
    ]
    if len(having) != 1:
        raise ComponentError(f"{path}:1: must hold one class with a method {method}, it holds {len(having)}")
    return having[0]


def _literal(node: ast.expr, at: strategy_fields.Path, marked: MarkedData, path: Path) -> Plain:
    marked.values[at] = (node.lineno, node.col_offset + 1)
    marked.keys.setdefault(at, marked.values[at])
    match node:
        case ast.Dict(keys=keys, values=values):
            found: dict[str, Plain] = {}
            for key, value in zip(keys, values, strict=True):
                if not (isinstance(key, ast.Constant) and isinstance(key.value, str)) or key.value in found:
                    raise ComponentError(f"{path}:{value.lineno}: __metadata__ needs plain texts as keys, each once")
                marked.keys[(*at, key.value)] = (key.lineno, key.col_offset + 1)
                found[key.value] = _literal(value, (*at, key.value), marked, path)
            return found
        case ast.List(elts=entries) | ast.Tuple(elts=entries):
            return [_literal(entry, (*at, index), marked, path) for index, entry in enumerate(entries)]
    return _leaf(node, path)


def _leaf(node: ast.expr, path: Path) -> Plain:
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError) as error:
        shown = ast.unparse(node)[:60]
        raise ComponentError(f"{path}:{node.lineno}: __metadata__ must be written out: {shown} would have to be run") from error
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int) and abs(value) < 10**15:
        return Decimal(value)
    # repr gives the shortest digits that are the same float: 0.1 stays 0.1.
    if isinstance(value, float) and abs(value) < 1e15:
        return Decimal(repr(value))
    raise ComponentError(f"{path}:{node.lineno}: {str(value)[:60]} has no place in __metadata__: write texts, numbers, lists, dicts")
