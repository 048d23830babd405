"""A process that works for another, with work that tests can watch, stop and break."""

import logging
import os
import pickle
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sptrader_desktop.core.errors import Problem, StrategyError
from sptrader_desktop.runtime.far_calls import serve
from sptrader_desktop.runtime.own_connection import own_connection


class Target:
    def __init__(self, name: str) -> None:
        self.name = name

    def greet(self, *words: str) -> str:
        sys.stdout.write("whatever is printed disturbs nobody\n")
        logging.getLogger("far.target").warning("greeted")
        return " ".join((*words, self.name))

    def pid(self) -> int:
        return os.getpid()

    def fail(self) -> None:
        raise KeyError("a defect")

    def fail_oddly(self) -> None:
        raise StrategyError("file.yaml", (Problem(("entry",), 1, "is wrong"),))

    def last(self, begun: Path, stopped: Path, report: Callable[[float, str], None]) -> None:
        begun.touch()
        try:
            while True:
                report(0.5, "half")
                time.sleep(0.005)
        finally:
            stopped.touch()

    def die(self) -> None:
        os._exit(3)


def main(_parent: int) -> None:
    asked, answers = own_connection()
    serve(Target(pickle.load(asked)), asked, answers)
