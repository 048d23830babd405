"""What a script finds around it, and what is put back after it: no job sees what another has set, loaded, seeded or switched off."""

import decimal
import gc
import locale
import os
import random
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from sptrader_desktop.adapters.component_calls import neighbours

# Those that change what a component computes or shows.
OPTIONS = ("compute.use_bottleneck", "compute.use_numexpr", "display.max_rows", "display.width", "display.precision")


@contextmanager
def surroundings(script: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """As for `cd FOLDER && VARIABLES python script.py`."""
    with ExitStack() as stack:
        # The interpreter's own state is put back first: a warning made an error would stop the rest.
        for keep in (_variables(environment), _place(script), _numbers(), _signals(), neighbours(script.parent), _interpreter()):
            stack.enter_context(keep)
        yield


@contextmanager
def _variables(environment: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update({name: value for name, value in before.items() if os.environ.get(name) != value})
        if hasattr(time, "tzset"):
            time.tzset()


@contextmanager
def _place(script: Path) -> Iterator[None]:
    before, arguments, path, main = Path.cwd(), sys.argv, list(sys.path), sys.modules["__main__"]
    mask = os.umask(0o077)
    os.umask(mask)
    os.chdir(script.parent)
    sys.argv = [str(script)]
    try:
        yield
    finally:
        os.chdir(before)
        os.umask(mask)
        sys.argv, sys.modules["__main__"] = arguments, main
        sys.path[:] = path


@contextmanager
def _interpreter() -> Iterator[None]:
    recursion, collects, switch = sys.getrecursionlimit(), gc.isenabled(), sys.getswitchinterval()
    finders, hooks = list(sys.meta_path), (sys.excepthook, sys.displayhook, threading.excepthook)
    sys.dont_write_bytecode = True  # the workspace is the person's
    try:
        with warnings.catch_warnings():
            yield
    finally:
        sys.settrace(None)
        sys.setprofile(None)
        sys.setrecursionlimit(recursion)
        sys.setswitchinterval(switch)
        (gc.enable if collects else gc.disable)()
        sys.meta_path[:] = finders
        sys.excepthook, sys.displayhook, threading.excepthook = hooks


@contextmanager
def _numbers() -> Iterator[None]:
    """Random numbers are new to every job: what depends on them must not look repeatable."""
    random.seed()
    np.random.seed(random.getrandbits(32))  # noqa: NPY002  # the state that scripts share without asking
    place, printing = locale.setlocale(locale.LC_ALL), np.get_printoptions()
    options = {name: pd.get_option(name) for name in OPTIONS}
    try:
        with np.errstate(), decimal.localcontext():
            yield
    finally:
        locale.setlocale(locale.LC_ALL, place)
        np.set_printoptions(**printing)
        for name, value in options.items():
            pd.set_option(name, value)


@contextmanager
def _signals() -> Iterator[None]:
    numbers = [number for number in (signal.SIGTERM, signal.SIGINT, getattr(signal, "SIGALRM", None)) if number is not None]
    handlers = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in handlers.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
