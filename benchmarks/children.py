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
    return _answer(["benchmarks", "--child", module, *arguments], variables)


def measured_alone(module: str, *arguments: str, **variables: str) -> dict[str, Any]:
    """Of a module that is run by itself: what the other benchmarks import is no part of its start."""
    return _answer([f"benchmarks.{module}", *arguments], variables)


def _answer(command: list[str], variables: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"benchmark {' '.join(command)} failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


class Beside:
    """A child that works until it is asked for what it found."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._what = f"{module} {' '.join(arguments)}"
        command = [sys.executable, "-m", "benchmarks", "--child", module, *arguments]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def until(self, word: str) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.strip() == word:
                return
        raise SystemExit(f"benchmark {self._what} ended before it said {word}")

    def found(self) -> dict[str, Any]:
        out, _ = self._process.communicate(timeout=60)
        if self._process.returncode:
            raise SystemExit(f"benchmark {self._what} failed")
        found: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
        return found
