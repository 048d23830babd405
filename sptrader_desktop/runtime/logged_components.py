"""Passes jobs to a runner and what the components said on to the log, under their names."""

import logging
from collections.abc import Sequence

from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.ports import Answer, ComponentJob, ComponentRunner


class LoggedComponents:
    """A ComponentRunner."""

    def __init__(self, runner: ComponentRunner) -> None:
        self._runner = runner

    def run(self, jobs: Sequence[ComponentJob]) -> Sequence[Answer]:
        answers = self._runner.run(jobs)
        for job, answer in zip(jobs, answers, strict=True):
            _log(job, answer)
        return answers

    def fingerprint(self, component: str) -> str:
        return self._runner.fingerprint(component)


def _log(job: ComponentJob, answer: Answer) -> None:
    log = logging.getLogger(f"sptrader.component.{job.component.rpartition('.')[2]}")
    for level, said in ((logging.INFO, answer.stdout), (logging.WARNING, answer.stderr)):
        if said.strip():
            log.log(level, "%s", said.rstrip())
    if isinstance(answer.result, ComponentError):
        log.error("%s", answer.result)
