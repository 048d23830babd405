"""The command as a person meets it, but in this process: exit code, standard output and standard error of one call."""

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sptrader_desktop.cli import run
from sptrader_desktop.runtime.kernel_cache import is_compiled, use_kernel_cache
from sptrader_desktop.settings import load_settings

ROOT = Path(__file__).resolve().parent.parent
STRATEGIES = ROOT / "strategies"
STRATEGY = STRATEGIES / "ma_crossover.yaml"
SAMPLE = ROOT / "workspace" / "data" / "EURUSD_1h_2024-01-02_2024-05-31.parquet"


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.out)
        return read


@cache
def compile_once() -> None:
    """Who comes first compiles the rules, and says so on standard error: no test is about that."""
    if not is_compiled(use_kernel_cache(load_settings().kernels)):
        _called("backtest", STRATEGY, "--data", SAMPLE, "--no-store")


def sptrader(*arguments: str | Path) -> Said:
    compile_once()
    return _called(*arguments)


def in_a_process_of_its_own(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    compile_once()
    command = [sys.executable, "-m", "sptrader_desktop", *map(str, arguments)]
    found = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}  # each program chooses it
    return subprocess.run(command, cwd=ROOT, env=found | environment, capture_output=True, encoding="utf-8", check=False)


def _called(*arguments: str | Path) -> Said:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = run([str(argument) for argument in arguments])
        except SystemExit as asked:
            code = asked.code if isinstance(asked.code, int) else -1
    return Said(code, _text(out), _text(err))


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    written = stream.buffer
    assert isinstance(written, io.BytesIO)
    return written.getvalue().decode()


def document(strategy: Path, *arguments: str | Path) -> dict[str, Any]:
    """The JSON result of a backtest that must succeed, without keeping it."""
    said = sptrader("backtest", strategy, *arguments, "--no-store", "--json", "-")
    assert (said.code, said.err) == (0, "")
    return said.document


def refused(*arguments: str | Path) -> str:
    """The one line with which a command is refused."""
    said = sptrader(*arguments)
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1), said
    assert said.err.startswith("sptrader: ")
    assert "defect of the program" not in said.err
    return said.err.removeprefix("sptrader: ").rstrip("\n")


def financing(folder: Path) -> Path:
    path = folder / "rates.yaml"
    path.write_text("EURUSD: {long: -0.025, short: 0.0125}\n")
    return path
