"""The other programs, each timed in a process of its own by the peers' own script, in the same minutes as ours."""

import json
import math
import os
import statistics
import subprocess
from pathlib import Path

from benchmarks.market import peers_folder
from benchmarks.report import Line, Options, duration

ALL = ("vectorbt", "backtesting", "nautilus")
# The sweeps of the others take many minutes or do not exist; --all-peers runs them too.
USUAL = {"single": ALL, "signals_sweep": ("vectorbt",), "risk_sweep": ("vectorbt",)}
SINGLE_RUNS = 3
TIMEOUT_S = 900


def interpreter(folder: Path) -> Path:
    return Path(os.environ.get("SPTRADER_PEERS_PYTHON", folder / ".venv" / "bin" / "python")).absolute()


def missing() -> str | None:
    """Why there is nobody to compare with, and what to do about it."""
    folder = peers_folder()
    if folder is None:
        return "the peers' folder was not found, ratios left out: set SPTRADER_PEERS to the folder with peers.py and bars.py"
    if not interpreter(folder).is_file():
        return (
            f"peers not installed ({interpreter(folder)} is not there), ratios left out: run ./run.sh in a copy of {folder} that can be "
            "written to and set SPTRADER_PEERS to it, or set SPTRADER_PEERS_PYTHON to a Python that has them"
        )
    return None


def chosen(workload: str, options: Options) -> tuple[str, ...]:
    return options.peers or (ALL if options.all_peers else USUAL[workload])


def timed(workload: str, options: Options) -> dict[str, float | str]:
    """Seconds by peer, or why there are none."""
    folder = peers_folder()
    if folder is None or missing():
        return {}
    return {peer: _median(folder, peer, workload) for peer in chosen(workload, options)}


def _median(folder: Path, peer: str, workload: str) -> float | str:
    times = []
    for _ in range(SINGLE_RUNS if workload == "single" and peer == "vectorbt" else 1):
        found = _once(folder, peer, workload)
        if isinstance(found, str):
            return found
        times.append(found)
    return statistics.median(times)


def _once(folder: Path, peer: str, workload: str) -> float | str:
    command = [str(interpreter(folder)), "-B", "-W", "ignore", "peers.py", peer, workload]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return f"over {TIMEOUT_S} s"
    if done.returncode:
        return "failed: " + (done.stderr.strip().splitlines() or ["no message"])[-1][:60]
    found: float = json.loads(done.stdout.strip().splitlines()[-1])["seconds"]
    return "cannot" if math.isnan(found) else found


def compared(what: str, ours: float, others: dict[str, float | str], target: float) -> Line:
    """Against the fastest of them."""
    shown = ", ".join(f"{peer} {found if isinstance(found, str) else duration(found)}" for peer, found in others.items())
    times = [found for found in others.values() if isinstance(found, float)]
    if not times:
        return Line(what, duration(ours), shown, "", f"{target:g} x")
    ratio = min(times) / ours
    return Line(what, duration(ours), shown, f"{ratio:.1f} x", f"{target:g} x", ratio >= target)
