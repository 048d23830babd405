"""Code that is compiled once and kept for the next start: it does what it did, and whatever becomes of the file, a start goes on."""

import builtins
import dataclasses
import subprocess
import sys
from collections.abc import Callable
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import Any

import pytest

from sptrader_desktop.app.kept_code import KeptCode, code_kept_beside

NOT_KNOWN_NAMES = "def f(a: NotKnown) -> Nowhere: return a"


@pytest.fixture(autouse=True)
def _writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)


def made(folder: Path) -> tuple[type[Any], KeptCode]:
    with code_kept_beside(str(folder / "module.py")) as kept:

        @dataclasses.dataclass(frozen=True, slots=True, order=True)
        class Bar:
            open: float
            close: float = 2.0
            marks: list[str] = dataclasses.field(default_factory=list, compare=False)

    return Bar, kept


def check(bar: type[Any]) -> None:
    one, same, other = bar(1.0), bar(1.0, marks=["x"]), bar(3.0)
    assert (one == same, one == other, one < other, hash(one) == hash(same)) == (True, False, True, True)
    assert repr(one).endswith("Bar(open=1.0, close=2.0, marks=[])")
    assert one.marks is not bar(1.0).marks
    assert str(bar.__init__.__annotations__["open"]) in {"<class 'float'>", "float"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.open = 4.0


def test_what_is_kept_does_what_was_compiled(tmp_path: Path) -> None:
    bar, first = made(tmp_path)
    check(bar)
    assert first.added > 0
    assert first.path.parent == tmp_path / "__pycache__"
    bar, second = made(tmp_path)
    check(bar)
    assert second.added == 0


def test_a_text_that_changed_is_compiled_and_the_others_stay(tmp_path: Path) -> None:
    def names(text: str) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        with code_kept_beside(str(tmp_path / "module.py")) as kept:
            exec(compile(text, "there.py", "exec"), found)
        return found, kept.added

    assert names("x = 1")[0]["x"] == 1
    found, added = names("x = 2")
    assert (found["x"], added) == (2, 1)
    assert [names(text)[1] for text in ("x = 1", "x = 2")] == [0, 0]


def test_a_text_is_compiled_as_by_the_module_that_asks(tmp_path: Path) -> None:
    """One from whose future annotations are words may ask for names that there are not; another may not."""
    asks = f"found = {{}}\nexec(compile({NOT_KNOWN_NAMES!r}, 'there.py', 'exec'), found)\n"
    for _ in range(2):
        with code_kept_beside(str(tmp_path / "module.py")):
            names: dict[str, Any] = {}
            exec(compile("from __future__ import annotations\n" + asks, "asks.py", "exec"), names)
            assert names["found"]["f"].__annotations__["a"] == "NotKnown"
            if sys.version_info < (3, 14):  # from there on nobody asks for the names before they are needed
                with pytest.raises(NameError):
                    exec(compile(asks, "asks.py", "exec"), {})


def test_other_ways_to_compile_are_as_they_were(tmp_path: Path) -> None:
    import ast

    found: dict[str, Any] = {}
    with code_kept_beside(str(tmp_path / "module.py"), without=frozenset({"left_out.py"})) as kept:
        tree = compile("x = 1", "there.py", "exec", ast.PyCF_ONLY_AST)
        assert isinstance(tree, ast.Module)
        exec(compile(tree, "there.py", "exec"), found)
        exec(compile("y = 1", "left_out.py", "exec"), found)
        with pytest.raises(SyntaxError):
            compile("x =", "there.py", "exec")
    assert (found["x"], "y" in found, kept.added) == (1, False, 1)


class Words(str):
    """As a template engine has its own."""

    __slots__ = ()


def test_whatever_is_compiled_however_a_start_goes_on(tmp_path: Path) -> None:
    """By the names that Python gives the arguments, and of kinds that are not kept."""
    for is_first in (True, False):
        found: dict[str, Any] = {}
        with code_kept_beside(str(tmp_path / "module.py")) as kept:
            exec(compile(source="a = 1", filename="there.py", mode="exec"), found)
            exec(compile("b = 1", tmp_path / "there.py", "exec"), found)
            exec(compile(Words("c = 1"), "there.py", "exec"), found)
            exec(compile("d = 1", Words("there.py"), "exec"), found)
            exec(compile(bytearray(b"e = 1"), "there.py", "exec"), found)
        assert (sum(found[name] for name in "abcde"), kept.added) == (5, int(is_first))


def test_afterwards_python_is_as_it_was(tmp_path: Path) -> None:
    before = builtins.compile

    def fail() -> None:
        with code_kept_beside(str(tmp_path / "module.py")):
            assert builtins.compile is not before
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert builtins.compile is before
    assert "exec" not in vars(dataclasses)


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _flipped(content: bytes) -> bytes:
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


def _of_another_python(content: bytes) -> bytes:
    return b"\0" * len(MAGIC_NUMBER) + content[len(MAGIC_NUMBER) :]


def _too_large(content: bytes) -> bytes:
    return content + b"\0" * 8_000_000


@pytest.mark.parametrize("damage", [_cut, _flipped, _of_another_python, _too_large, lambda _: b"", lambda _: b"garbage"])
def test_a_file_that_is_damaged_or_of_another_is_written_anew(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = made(tmp_path)[1].path
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    bar, kept = made(tmp_path)
    check(bar)
    assert kept.added > 0
    assert made(tmp_path)[1].added == 0
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name]


def test_what_could_not_be_kept_leaves_nothing_behind(tmp_path: Path) -> None:
    kept = KeptCode(tmp_path / "module.kept")
    kept.path.mkdir()
    kept.compiled("x = 1", "there.py", "exec", 0)
    kept.keep()
    assert [*tmp_path.iterdir()] == [kept.path]


def test_where_python_writes_no_bytecode_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    check(made(tmp_path)[0])
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "__pycache__").write_text("a file where the folder would be")
    check(made(tmp_path)[0])


def test_the_second_start_of_the_window_compiles_nothing_of_it(tmp_path: Path) -> None:
    code = f"""
import sys
sys.dont_write_bytecode, sys.pycache_prefix = False, {str(tmp_path)!r}
from sptrader_desktop.app import kept_code
keep = kept_code.KeptCode.keep
kept_code.KeptCode.keep = lambda kept: (print("compiled", kept.added), keep(kept))
from sptrader_desktop.app.loading import loaded_window
loaded_window()
from sptrader_desktop.core.metrics_trades import TradeMetrics
print(TradeMetrics.__init__.__code__.co_argcount > 10)
from PySide6.QtCore import QPoint
try:
    QPoint("x")
except TypeError as error:
    print("Supported signatures" in str(error))
"""
    command = [sys.executable, "-c", code]
    starts = [subprocess.run(command, capture_output=True, text=True, check=False, timeout=120) for _ in range(2)]
    first, second = (start.stdout.splitlines() for start in starts)
    assert int(first[0].removeprefix("compiled ")) > 100, starts[0].stderr
    assert second == ["compiled 0", "True", "True"], starts[1].stderr
    assert first[1:] == second[1:]
