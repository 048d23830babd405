"""What holds for every file of the project and for the way it is set up, built and checked."""

import ast
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "sptrader_desktop"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
BODIES = ("body", "orelse", "finalbody", "handlers", "cases")  # where statements are in statements
UNWRITTEN = {".git", ".venv", ".cache", "dist", "__pycache__", ".idea", ".vscode"}


def files(*suffixes: str) -> Iterator[Path]:
    for folder, names, found in os.walk(ROOT):
        names[:] = sorted(set(names) - UNWRITTEN)
        yield from (Path(folder, name) for name in sorted(found) if name.endswith(suffixes))


@cache
def sources() -> dict[str, str]:
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in files(".py")}


@cache
def parsed(name: str) -> ast.Module:
    return ast.parse(sources()[name])


# Files


def test_no_source_file_is_longer_than_500_lines() -> None:
    assert {name: text.count("\n") for name, text in sources().items() if text.count("\n") > 500} == {}


def test_nine_functions_in_ten_are_shorter_than_30_lines() -> None:
    lengths = {
        f"{name}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for name in sources()
        if name.startswith("sptrader_desktop/")
        for node in functions(parsed(name))
    }
    long = {name: lines for name, lines in lengths.items() if lines >= 30}
    assert len(long) * 10 <= len(lengths), long


def functions(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Those inside others too; expressions, of which there are most, hold none."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield node
    for name in BODIES:
        for inner in getattr(node, name, ()):
            yield from functions(inner)


def test_every_module_says_in_one_to_six_lines_why_it_exists() -> None:
    docstrings = {name: re.match(r'(?:#.*\n|\n)*"""(.+?)"""', text, re.DOTALL) for name, text in sources().items()}
    assert [name for name, docstring in docstrings.items() if not docstring] == []
    first_paragraphs = {name: found[1].strip().split("\n\n")[0].count("\n") + 1 for name, found in docstrings.items() if found}
    assert {name: lines for name, lines in first_paragraphs.items() if lines > 6} == {}


def test_no_module_is_named_for_having_no_purpose() -> None:
    vague = {"utils", "util", "helpers", "helper", "managers", "manager", "misc", "common"}
    assert [str(path) for path in files(".py") if {*path.relative_to(ROOT).parts[:-1], path.stem} & vague] == []


def test_the_package_itself_holds_only_its_version() -> None:
    statements = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8")).body
    assert [type(statement) for statement in statements] == [ast.Expr, ast.Assign]
    assert ast.unparse(statements[1]).startswith("__version__ = ")


def test_core_imports_only_the_standard_library_numpy_and_numba() -> None:
    allowed = sys.stdlib_module_names | {"numpy", "numba", "sptrader_desktop"}
    for path in (PACKAGE / "core").rglob("*.py"):
        assert imported(path.read_text(encoding="utf-8")) <= allowed, path


def imported(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


def test_nothing_names_a_folder_of_the_machine_it_was_written_on() -> None:
    """But where X servers listen, on any machine."""
    personal = re.compile(r"(?<![\w./~$}-])/(?:home|root|Users|work|tmp(?!/\.X11-unix/)|opt|mnt|media)/[\w.]+")
    written = [path for path in files("") if path.suffix not in {".parquet", ".png", ".ico", ".icns", ".db", ".otf", ".ttf"}]
    found = {str(path.relative_to(ROOT)): personal.findall(path.read_text(encoding="utf-8")) for path in written}
    assert {name: paths for name, paths in found.items() if paths} == {}


def test_the_changelog_has_the_version_that_the_package_has() -> None:
    version = re.search(r'__version__ = "(.+)"', (PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    assert version
    assert re.search(rf"^## {re.escape(version[1])}\b", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)


# The lock


def locked() -> dict[str, list[str]]:
    """Each requirement of the lock with the hashes under it."""
    pins: dict[str, list[str]] = {}
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if line.startswith("    --hash="):
            pins[list(pins)[-1]].append(line.strip(" \\").removeprefix("--hash="))
        elif not line.startswith("#"):
            pins[line.removesuffix(" \\")] = []
    return pins


def test_the_lock_holds_names_versions_markers_and_hashes_and_nothing_else() -> None:
    for pin, hashes in locked().items():
        assert re.fullmatch(r"[a-z0-9-]+==[\w.+!]+( ; [\w'\". <>=!()]+)?", pin), pin
        assert hashes, pin
        assert [value for value in hashes if not re.fullmatch(r"sha256:[0-9a-f]{64}", value)] == []


def test_the_lock_holds_all_that_pyproject_asks_for() -> None:
    asked = [*PYPROJECT["project"]["dependencies"], *PYPROJECT["dependency-groups"]["dev"]]
    names = {re.split(r"[<>=!~;\[ ]", requirement)[0].lower().replace(".", "-") for requirement in asked}
    assert names - {pin.partition("==")[0] for pin in locked()} == set()


# Set-up


@pytest.fixture
def set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The set-up script on a checkout of two files, with the making of environments and pip replaced by their traces."""
    spec = importlib.util.spec_from_file_location("set_up", ROOT / "packaging" / "set_up.py")
    assert spec
    assert spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    for name in ("pyproject.toml", "requirements.lock"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.setattr(script, "ROOT", tmp_path)
    monkeypatch.setattr(venv, "create", create)
    monkeypatch.setattr(script, "run", trace)
    monkeypatch.setattr(script, "compile_packages", lambda _folder: None)
    monkeypatch.setattr(script, "qt_fault", lambda _folder: "")
    return script


def create(folder: Path, *, with_pip: bool, symlinks: bool) -> None:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").touch()


def trace(folder: Path, *arguments: str) -> None:
    with (folder / "ran").open("a", encoding="utf-8") as ran:
        ran.write(" ".join(arguments) + "\n")


def test_set_up_installs_the_lock_by_hash_and_does_nothing_the_second_time(set_up: ModuleType, tmp_path: Path) -> None:
    assert set_up.main() == 0
    first = (tmp_path / ".venv" / "ran").read_text()
    assert "--require-hashes -r" in first
    assert set_up.main() == 0
    assert (tmp_path / ".venv" / "ran").read_text() == first


def test_an_interrupted_set_up_is_made_again_from_the_start(set_up: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(folder: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr(set_up, "compile_packages", interrupt)
        with pytest.raises(KeyboardInterrupt):
            set_up.main()
    (tmp_path / ".venv" / "half-made").touch()
    assert not set_up.is_current(tmp_path)
    assert set_up.main() == 0
    assert set_up.is_current(tmp_path)
    assert not (tmp_path / ".venv" / "half-made").exists()


@pytest.mark.parametrize("change", ["lock", "dependencies", "python", "place"])
def test_an_environment_made_from_something_else_is_made_again(
    set_up: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    assert set_up.main() == 0
    match change:
        case "lock":
            (tmp_path / "requirements.lock").write_text("numpy==2.3.0\n")
        case "dependencies":
            pyproject = (tmp_path / "pyproject.toml").read_text(encoding="utf-8")
            (tmp_path / "pyproject.toml").write_text(pyproject.replace('"numpy>=', '"numpy>'), encoding="utf-8")
        case "python":
            monkeypatch.setattr(sys, "version", "3.99")
        case "place":
            tmp_path = tmp_path.rename(tmp_path.with_name("moved"))
    assert not set_up.is_current(tmp_path)


def test_tool_settings_do_not_make_the_environment_stale(set_up: ModuleType, tmp_path: Path) -> None:
    assert set_up.main() == 0
    pyproject = (tmp_path / "pyproject.toml").read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(pyproject.replace("line-length = 140", "line-length = 100"), encoding="utf-8")
    assert set_up.is_current(tmp_path)


@pytest.mark.parametrize("is_root", [True, False])
def test_libraries_of_qt_that_are_missing_are_installed_by_root_and_named_to_others(
    set_up: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_root: bool
) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(set_up, "qt_fault", lambda _folder: "" if len(asked) == 2 else "libGL.so.1: cannot open shared object file")
    monkeypatch.setattr(os, "geteuid", lambda: 0 if is_root else 1000)
    monkeypatch.setattr(set_up.shutil, "which", lambda _name: "apt-get")
    monkeypatch.setattr(set_up.subprocess, "run", lambda command, **_: asked.append(command))
    assert set_up.main() == 0
    told = capsys.readouterr().err
    if is_root:
        assert [command[:2] for command in asked] == [["apt-get", "update"], ["apt-get", "install"]]
        assert "libgl1" in asked[1]
        assert "does not load" not in told
    else:
        assert asked == []
        assert "libGL.so.1" in told
        assert "apt-get install libgl1" in told
    assert set_up.is_current(tmp_path)


@pytest.mark.parametrize("is_root", [True, False])
def test_the_tests_screen_is_installed_once_by_root_and_named_to_others(
    set_up: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_root: bool
) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0 if is_root else 1000)
    monkeypatch.setattr(set_up.shutil, "which", lambda name: "apt-get" if name == "apt-get" else None)
    monkeypatch.setattr(set_up.subprocess, "run", lambda command, **_: asked.append(command))
    assert set_up.main() == 0
    assert asked == []
    for _ in range(2):
        assert set_up.main(["screen"]) == 0
        assert "(Xvfb, xdotool not found); in Debian: apt-get install xvfb xdotool" in capsys.readouterr().err
    assert [command[-2:] for command in asked if "install" in command] == [["xvfb", "xdotool"]] * is_root
    monkeypatch.setattr(set_up.shutil, "which", lambda name: name)
    assert set_up.main(["screen"]) == 0
    assert capsys.readouterr().err == ""


def test_a_failed_installation_shows_what_pip_said_and_leaves_no_stamp(
    set_up: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(folder: Path, *arguments: str) -> None:
        raise set_up.SetUpError("no space left; set-up stopped")

    monkeypatch.setattr(set_up, "run", refuse)
    assert set_up.main() == 1
    assert "no space left; set-up stopped" in capsys.readouterr().err
    assert not set_up.is_current(tmp_path)


def test_make_says_what_is_missing_when_no_python_serves() -> None:
    done = subprocess.run(["make", "set-up", "PYTHON=no-such-python"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode
    assert "No Python 3.11 to 3.14 with venv found (tried: no-such-python)" in done.stderr
    assert "make PYTHON=" in done.stderr


def test_continuous_integration_is_the_two_commands_a_person_uses() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").splitlines()[-3:] == ["export REQUIRE_REFERENCE=1", "make check", "make test"]


# What is built


def test_the_wheel_carries_the_package_the_strategies_and_the_workspace_and_no_more(tmp_path: Path) -> None:
    from hatchling.builders.wheel import WheelBuilder  # every process would load it with the tests

    (built,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(built) as wheel:
        carried = {name for name in wheel.namelist() if ".dist-info/" not in name}
        entry_points = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
        assert wheel.read(entry_points).decode().split() == ["[console_scripts]", "sptrader", "=", "sptrader_desktop.__main__:main"]
    expected = {str(path.relative_to(ROOT)) for path in files("") if path.is_relative_to(PACKAGE)}
    for shipped in ("strategies", "workspace", "docs"):
        found = {f"sptrader_desktop/_shipped/{path.relative_to(ROOT)}" for path in files("") if path.is_relative_to(ROOT / shipped)}
        assert found, shipped
        expected |= found
    assert carried == expected


# What is checked


def test_each_import_contract_is_broken_by_what_it_forbids(tmp_path: Path) -> None:
    """Our own modules, emptied, and then one wrong import for each contract."""
    modules = {path.relative_to(ROOT): "" for path in PACKAGE.rglob("*.py")}
    package = Path("sptrader_desktop")
    modules |= {
        package / "core/money.py": "import sptrader_desktop.runtime.wrong",  # upwards
        package / "core/terms.py": "import sptrader_desktop.core.rules",  # a cycle
        package / "core/rules.py": "import sptrader_desktop.core.terms, time",  # a clock
        package / "core/strategy.py": "import numpy",
        package / "runtime/wrong.py": "import pyarrow, ruamel.yaml, pandas, PySide6, pyqtgraph",
        package / "compose.py": "import sptrader_desktop.ui",
        package / "runtime/__init__.py": "",
        package / "adapters/__init__.py": "",
        package / "unplaced.py": "",
    }
    for name, source in modules.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=tmp_path, capture_output=True, text=True, check=False)
    broken = re.findall(r"^(.+) BROKEN$", done.stdout, re.MULTILINE)
    assert broken == [contract["name"] for contract in PYPROJECT["tool"]["importlinter"]["contracts"]], done.stdout + done.stderr
    for complaint in (
        "core is not allowed to import sptrader_desktop.runtime",
        "- sptrader_desktop.unplaced",
        "core is not allowed to import time",
    ):
        assert complaint in done.stdout
