"""The wheel, installed somewhere else: it runs a backtest with what it brings, and writes nothing where it was installed."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from sptrader_desktop.runtime.kernel_cache import cache_key
from sptrader_desktop.settings import load_settings
from tests.command_line import ROOT, compile_once, document

SAMPLE = "EURUSD_1h_2024-01-02_2024-05-31.parquet"


class Installation:
    """The wheel unpacked by pip; beside it stand the libraries this environment has, but not the checkout."""

    def __init__(self, folder: Path) -> None:
        (built,) = WheelBuilder(str(ROOT)).build(directory=str(folder / "dist"), versions=["standard"])
        self.site, self.home = folder / "site", folder / "home"
        self.kernels = self.home / "cache" / "sptrader" / "kernels"
        self.home.mkdir()
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index", "--no-compile"]
        subprocess.run([*pip, "--target", str(self.site), str(built)], check=True)
        libraries = next(path for path in sys.path if path.endswith("site-packages"))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPTRADER_", "NUMBA_", "PYTHON"))}
        self.environment = kept | {
            # -S leaves out site-packages and with it the editable install: the checkout cannot be imported by accident.
            "PYTHONPATH": os.pathsep.join([str(self.site), libraries]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(self.home),
            "USERPROFILE": str(self.home),
            "XDG_DATA_HOME": str(self.home / "data"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
        }

    def python(self, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-S", *map(str, arguments)]
        return subprocess.run(
            command, cwd=self.home, env=self.environment | environment, capture_output=True, encoding="utf-8", check=False, timeout=280
        )

    def sptrader(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return self.python("-m", "sptrader_desktop", *arguments)

    def files(self) -> dict[str, tuple[int, int]]:
        found = (path for path in self.site.rglob("*") if path.is_file())
        return {str(path.relative_to(self.site)): (path.stat().st_size, path.stat().st_mtime_ns) for path in found}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    compile_once()
    found = Installation(tmp_path_factory.mktemp("wheel"))
    share_kernels(found)
    return found


def test_it_is_the_wheel_that_is_imported(installed: Installation) -> None:
    where = installed.python("-c", "import sptrader_desktop; print(sptrader_desktop.__file__)")
    assert where.stdout.strip() == str(installed.site / "sptrader_desktop" / "__init__.py")
    assert (installed.site / "bin" / "sptrader").is_file()


def test_it_checks_a_strategy_and_fills_the_workspace_from_what_it_carries(installed: Installation) -> None:
    carried = installed.site / "sptrader_desktop" / "_shipped"
    before = installed.files()
    done = installed.sptrader("check", carried / "strategies" / "ma_crossover.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    workspace = installed.home / "data" / "sptrader" / "workspace"
    assert (workspace / "data" / SAMPLE).read_bytes() == (carried / "workspace" / "data" / SAMPLE).read_bytes()
    assert (workspace / "strategies" / "ma_crossover.yaml").is_file()
    assert installed.files() == before


def test_it_runs_a_backtest_elsewhere_and_writes_nothing_beside_itself(installed: Installation) -> None:
    before, workspace = installed.files(), installed.home / "data" / "sptrader" / "workspace"
    assert installed.sptrader("check", installed.site / "sptrader_desktop/_shipped/strategies/ma_crossover.yaml").returncode == 0
    strategy, sample = workspace / "strategies" / "ma_crossover.yaml", workspace / "data" / SAMPLE
    done = installed.sptrader("backtest", strategy, "--data", sample, "--json", "result.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Kept as r0001-ma_crossover" in done.stdout
    assert installed.files() == before
    assert {path.name for path in installed.home.iterdir()} == {"data", "cache", "result.json"}
    assert [path.name for path in (installed.home / "data" / "sptrader" / "runs").glob("r0001-*")] == ["r0001-ma_crossover"]
    here = document(ROOT / "strategies" / "ma_crossover.yaml", "--data", ROOT / "workspace" / "data" / SAMPLE)
    assert json.loads((installed.home / "result.json").read_bytes()) == here
    verified = installed.sptrader("verify", "latest")
    assert (verified.returncode, verified.stderr) == (0, "")


def share_kernels(installed: Installation) -> None:
    """numba files machine code by the path of its source and that source's time: both are made to agree, to save half a minute."""
    ours, theirs = ROOT / "sptrader_desktop" / "core", installed.site / "sptrader_desktop" / "core"
    for source in theirs.glob("*.py"):
        written = (ours / source.name).stat()
        os.utime(source, ns=(written.st_atime_ns, written.st_mtime_ns))
    key = cache_key(ours)
    shutil.copytree(load_settings().kernels / key / filed_under(ours), installed.kernels / key / filed_under(theirs))


def filed_under(folder: Path) -> str:
    return f"core_{hashlib.sha1(str(folder).encode(), usedforsecurity=False).hexdigest()}"
