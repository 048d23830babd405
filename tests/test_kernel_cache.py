"""The compiled rules are never older than their sources: an edited callee in another file must change what its caller does."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core.dispatcher import Dispatcher

from sptrader_desktop.runtime import kernel_cache

ROOT = Path(__file__).resolve().parent.parent

CALLER = """
from sptrader_desktop.core.compiled import compiled
from sptrader_desktop.core.prices import slipped

@compiled
def fill(price):
    return slipped(1, price, 3)
"""
RUN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from sptrader_desktop.runtime.kernel_cache import use_kernel_cache
if sys.argv[2]:
    use_kernel_cache(Path(sys.argv[2]))
from sptrader_desktop.core.caller import fill
print(fill(100))
"""


def copied_package(folder: Path) -> Path:
    core = folder / "sptrader_desktop" / "core"
    core.mkdir(parents=True)
    (folder / "sptrader_desktop" / "runtime").mkdir()
    for name in ("__init__.py", "runtime/__init__.py", "runtime/kernel_cache.py"):
        (folder / "sptrader_desktop" / name).write_bytes((ROOT / "sptrader_desktop" / name).read_bytes())
    for source in (ROOT / "sptrader_desktop" / "core").glob("*.py"):
        (core / source.name).write_bytes(source.read_bytes())
    (core / "caller.py").write_text(CALLER)
    return core


def price_filled(folder: Path, cache: Path | None, own: Path) -> int:
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"} | {"NUMBA_CACHE_DIR": str(own)}
    command = [sys.executable, "-c", RUN, str(folder), str(cache or "")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=folder)
    return int(done.stdout)


def test_an_edited_rule_in_another_file_is_recompiled(tmp_path: Path) -> None:
    core, cache = copied_package(tmp_path), tmp_path / "kernels"
    assert price_filled(tmp_path, cache, tmp_path / "own") == 103
    edited = (core / "prices.py").read_text().replace("return price + side * slippage", "return price + 2 * side * slippage")
    (core / "prices.py").write_text(edited)
    assert price_filled(tmp_path, cache, tmp_path / "own") == 106


def test_numba_alone_would_have_kept_the_old_rule(tmp_path: Path) -> None:
    """The reason for the key: should this ever fail, numba has learned to see callees and the key may go."""
    core = copied_package(tmp_path)
    assert price_filled(tmp_path, None, tmp_path / "own") == 103
    edited = (core / "prices.py").read_text().replace("return price + side * slippage", "return price + 2 * side * slippage")
    (core / "prices.py").write_text(edited)
    assert price_filled(tmp_path, None, tmp_path / "own") == 103


def test_only_our_own_folders_long_unused_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", os.environ["NUMBA_CACHE_DIR"])
    for number in range(9):
        (tmp_path / f"{number:020x}").mkdir()
        os.utime(tmp_path / f"{number:020x}", (number, number))
    for strange in ("documents", "holidays"):
        (tmp_path / strange).mkdir()
        os.utime(tmp_path / strange, (0, 0))
    fresh = tmp_path / f"{99:020x}"
    chosen = kernel_cache.use_kernel_cache(tmp_path)
    left = {chosen.name, "documents", "holidays", f"{8:020x}", f"{7:020x}", f"{6:020x}"}
    assert {item.name for item in tmp_path.iterdir()} == left
    for number in range(20, 29):
        (tmp_path / f"{number:020x}").mkdir()
    fresh.mkdir()
    kernel_cache.use_kernel_cache(tmp_path)
    assert left - {f"{8:020x}", f"{7:020x}", f"{6:020x}"} <= {item.name for item in tmp_path.iterdir()}
    assert fresh.is_dir()


def test_every_source_of_the_compiled_rules_is_in_the_key_and_no_other(tmp_path: Path) -> None:
    core = copied_package(tmp_path)
    keys = {kernel_cache.cache_key(core)}
    compiled = kernel_cache.compiled_sources(core)
    for source in compiled:
        source.write_text(source.read_text() + "\n# changed\n")
        keys.add(kernel_cache.cache_key(core))
    assert len(keys) == 1 + len(compiled)
    others = set(core.glob("*.py")) - set(compiled)
    assert {"live_account.py", "metrics.py"} <= {source.name for source in others}
    for source in others:
        source.write_text(source.read_text() + "\n# changed\n")
    assert kernel_cache.cache_key(core) in keys


def test_all_that_python_loads_for_a_compiled_rule_is_in_the_key() -> None:
    """Python itself is asked what the compiled modules import: no reading of their text can be more exact."""
    compiled = {source.stem for source in kernel_cache.compiled_sources()}
    asked = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]: importlib.import_module('sptrader_desktop.core.' + name)\n"
        "print(*(name.rpartition('.')[2] for name in sys.modules if name.startswith('sptrader_desktop.core.')))"
    )
    rules = [name for name in compiled if holds_compiled(name)]
    loaded = subprocess.run([sys.executable, "-c", asked, *rules], capture_output=True, text=True, check=True).stdout.split()
    assert len(rules) > 10
    assert set(loaded) <= compiled


def holds_compiled(name: str) -> bool:
    module = importlib.import_module(f"sptrader_desktop.core.{name}")
    return any(isinstance(value, Dispatcher) for value in vars(module).values())


def test_a_cache_that_may_only_be_read_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of another user, say; permissions would not keep a test that is run by root from writing."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", os.environ["NUMBA_CACHE_DIR"])
    chosen = kernel_cache.use_kernel_cache(tmp_path)

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "utime", refuse)
    assert kernel_cache.use_kernel_cache(tmp_path) == chosen
