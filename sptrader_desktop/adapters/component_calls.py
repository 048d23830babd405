"""Users' code and how it is called: what it raises becomes one sentence with its own line, and files beside it can be imported."""

import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any

from sptrader_desktop.adapters.candle_layout import printable
from sptrader_desktop.adapters.component_checks import Columns
from sptrader_desktop.adapters.component_columns import python_params
from sptrader_desktop.adapters.component_frames import Frame, event_columns, value_columns
from sptrader_desktop.core.components import ComponentSpec
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.core.strategy import Scalar


def answer_of(spec: ComponentSpec, component: Any, params: Mapping[str, Scalar], data: Frame, indicators: Mapping[str, Any]) -> Columns:
    """Make the component and ask it, with a frame of its own."""
    chosen = python_params(spec.given(params))
    made = called(spec, lambda: component(**chosen))
    own = data.copy(deep=False)
    if spec.is_signal:
        return event_columns(spec, called(spec, lambda: made.evaluate(own, dict(indicators))))
    return value_columns(spec, called(spec, lambda: made.calculate(own)))


def called(spec: ComponentSpec, call: Callable[[], Any]) -> Any:
    try:
        return call()
    except (Exception, SystemExit) as error:  # foreign code may raise anything, and must not end the program either
        raise ComponentError(sentence(error, spec.source, spec.line)) from error


def sentence(error: BaseException, source: str, line: int) -> str:
    """`line` is where the component begins, for errors that come from nowhere in its file."""
    if isinstance(error, SyntaxError) and error.filename == source:
        line = error.lineno or line
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == source]
    at = frames[-1].lineno if frames else line
    said = printable(" ".join(str(error).split()), 300)
    return f"{source}:{at}: {type(error).__name__}: {said}; mend the component or its parameters"


@contextmanager
def neighbours(folder: Path) -> Iterator[None]:
    """While a component runs it may import the files beside it; afterwards none of them is known under its name."""
    path, newest = str(folder), [*sys.modules][-1]
    sys.path.insert(0, path)
    try:
        yield
    finally:
        if path in sys.path:
            sys.path.remove(path)
        for name in takewhile(lambda name: name != newest, reversed([*sys.modules])):  # the newest last
            module = sys.modules[name]
            file = getattr(module, "__file__", None)
            homes = [file] if file else getattr(module, "__path__", ())  # a folder without __init__.py has only this
            if any(Path(home).is_relative_to(folder) for home in homes):
                del sys.modules[name]
