"""Measurements that need a process of their own: peak memory, start-up, an empty compile cache."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def measured(module: str, *arguments: str, **variables: str) -> dict[str, Any]:
    """Run `child(arguments)` of a benchmark module in a fresh process; it answers with one JSON object."""
    command = [sys.executable, "-m", "benchmarks", "--child", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"benchmark {module} {' '.join(arguments)} failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
