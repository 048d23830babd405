"""ARCHITECTURE.md says what is: its places exist, its calls come in that order, its layers are the enforced ones, its reading is short."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

from tests.documents import ARCHITECTURE, PACKAGE, ROOT, codes, fences, rows, section, text

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@cache
def defined() -> dict[str, set[str]]:
    """Each module, by its path below the package, and what it defines at its top."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        names: set[str] = set()
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
            names |= {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names.add(node.name)
        found[path.relative_to(PACKAGE).with_suffix("").as_posix()] = names
    return found


def place_exists(code: str) -> bool:
    """`core/kernel.advance`, `core/kernel.py`, `tests/test_engine.py::test_…` or a path of the project."""
    path, _, test = code.partition("::")
    if test:
        return f"def {test}(" in text(path)
    module, _, name = code.rpartition(".")
    return name in defined().get(module, ()) or (PACKAGE / code).exists() or (ROOT / code).exists()


def test_every_place_and_every_function_the_architecture_names_exists() -> None:
    named = codes(re.sub(r"```.*?```", "", ARCHITECTURE, flags=re.DOTALL))
    places = [code for code in named if "/" in code]
    assert len(places) > 50
    assert [code for code in places if not place_exists(code)] == []
    columns = "".join((PACKAGE / "core" / name).read_text(encoding="utf-8") for name in ("records.py", "tables.py"))
    known = set().union(*defined().values()) | set(re.findall(r"\w+", columns)) | {path.name for path in PACKAGE.iterdir()}
    assert [code for code in named if re.fullmatch(r"\w+", code) and code not in known] == []


def test_the_life_of_a_bar_is_told_in_the_order_of_the_calls() -> None:
    table = rows(ARCHITECTURE, "function")
    assert len(table) == 8
    for function, told, *_ in table:
        module, _, name = codes(function)[0].rpartition(".")
        assert is_in_order(codes(told), calls(PACKAGE / f"{module}.py", name)), (function, calls(PACKAGE / f"{module}.py", name))


def calls(path: Path, function: str) -> list[str]:
    (body,) = [
        node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef) and node.name == function
    ]
    found = [node for node in ast.walk(body) if isinstance(node, ast.Call)]
    found.sort(key=lambda node: (node.lineno, node.col_offset))
    return [
        node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        for node in found
        if isinstance(node.func, ast.Name | ast.Attribute)
    ]


def is_in_order(told: list[str], called: list[str]) -> bool:
    left = iter(called)
    return all(name in left for name in told)


def test_the_layers_drawn_are_those_that_are_enforced() -> None:
    (layers,) = [contract["layers"] for contract in PYPROJECT["tool"]["importlinter"]["contracts"] if contract["type"] == "layers"]
    enforced = [{name.strip(" ()") for name in layer.split("|")} for layer in layers]
    there = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()} - {"__init__"}
    drawn = [set(line[:44].split()) for line in fences(ARCHITECTURE, "")[0].splitlines()]
    assert drawn == [layer & there for layer in enforced]


def test_a_newcomer_reads_less_than_900_lines() -> None:
    reading = re.findall(r"^\d\. `([\w/.]+)`", section(ARCHITECTURE, "Reading list"), re.MULTILINE)
    assert reading == ["ARCHITECTURE.md", "core/messages.py", "core/kernel.py", "runtime/backtest.py", "compose.py"]
    paths = [path if (path := PACKAGE / name).exists() else ROOT / name for name in reading]
    assert sum(path.read_text(encoding="utf-8").count("\n") for path in paths) < 900
