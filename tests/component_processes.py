"""A runner whose attempts are processes of their own, each with its own hash seed: what a component keeps or draws there is seen."""

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from sptrader_desktop.adapters.inprocess_components import InProcessRunner
from sptrader_desktop.ports import Answer, ComponentJob
from tests.command_line import ROOT


class ProcessRunner:
    """One warm process for each attempt. `of` changes the workspace, so that a session pays for the processes once."""

    def __init__(self) -> None:
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._workspace = Path()

    def __enter__(self) -> "ProcessRunner":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for child in self._children.values():
            child.communicate()

    def of(self, workspace: Path) -> "ProcessRunner":
        self._workspace = workspace
        return self

    def run(self, jobs: Sequence[ComponentJob]) -> list[Answer]:
        answers: dict[int, Answer] = {}
        for attempt in sorted({job.attempt for job in jobs}):
            numbers = [number for number, job in enumerate(jobs) if job.attempt == attempt]
            answers |= zip(numbers, self._ask(attempt, [jobs[number] for number in numbers]), strict=True)
        return [answers[number] for number in range(len(jobs))]

    def fingerprint(self, component: str) -> str:
        return InProcessRunner(self._workspace).fingerprint(component)

    def _ask(self, attempt: int, jobs: Sequence[ComponentJob]) -> list[Answer]:
        child = self._children.get(attempt) or self._started(attempt)
        assert child.stdin is not None
        assert child.stdout is not None
        pickle.dump((self._workspace, jobs), child.stdin)
        child.stdin.flush()
        answered: list[Answer] = pickle.load(child.stdout)
        return answered

    def _started(self, attempt: int) -> subprocess.Popen[bytes]:
        environment = os.environ | {"PYTHONHASHSEED": str(attempt + 1)}
        command = [sys.executable, "-c", "from tests.component_processes import serve; serve()"]
        self._children[attempt] = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self._children[attempt]


def serve() -> None:
    """A workspace is loaded once, so that its components keep in this process what they keep."""
    runners: dict[Path, InProcessRunner] = {}
    while True:
        try:
            workspace, jobs = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        if workspace not in runners:
            runners[workspace] = InProcessRunner(workspace)
        pickle.dump(runners[workspace].run(jobs), sys.stdout.buffer)
        sys.stdout.buffer.flush()
