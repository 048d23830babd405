"""Runs component files in this process: simple and without isolation. The worker pool implements the same port."""

import hashlib
import json
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from sptrader_desktop.adapters.candle_layout import printable
from sptrader_desktop.adapters.component_catalogue import load_catalogue
from sptrader_desktop.adapters.component_frames import candle_frame, checked_indicator, event_table, indicator_values, python_params
from sptrader_desktop.core.components import Catalogue, ComponentSpec
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.core.strategy import Scalar
from sptrader_desktop.ports import Answer, ComponentJob, Values

CACHED_RESULTS = 64
COMPONENTS = "sptrader_components"  # no package of anybody's: the name under which scripts are modules


class InProcessRunner:
    """Results are remembered by source, parameters and data; candles without a fingerprint are never remembered."""

    def __init__(self, workspace: Path, catalogue: Catalogue | None = None) -> None:
        self._catalogue = catalogue or load_catalogue(workspace)
        self._modules: dict[str, ModuleType] = {}
        self._results: dict[str, EventTable | Values] = {}

    def run(self, jobs: Sequence[ComponentJob]) -> list[Answer]:
        return [self._answer(job) for job in jobs]

    def _answer(self, job: ComponentJob) -> Answer:
        try:
            return Answer(self._remembered(job))
        except ComponentError as error:
            return Answer(error)

    def _remembered(self, job: ComponentJob) -> EventTable | Values:
        spec = self._catalogue.component(job.component)
        key = self._key(job)
        if key in self._results and not job.attempt:
            return self._results[key]
        data = candle_frame(job.candles)
        result: EventTable | Values
        if spec.is_signal:
            result = event_table(spec, self.evaluate(spec, job.params, data), data)
        else:
            result = indicator_values(spec, self.calculate(spec, job.params, data))
        if job.candles.fingerprint:
            self._results[key] = result
            if len(self._results) > CACHED_RESULTS:
                del self._results[next(iter(self._results))]
        return result

    def fingerprint(self, component: str) -> str:
        spec = self._catalogue.component(component)
        sources = [spec.source, *(self._catalogue.indicator(item.type).source for item in spec.required_indicators)]
        digest = hashlib.sha256()
        for source in sources:
            digest.update(Path(source).read_bytes() + b"\0")
        return digest.hexdigest()

    def evaluate(self, spec: ComponentSpec, params: Mapping[str, Scalar], data: pd.DataFrame) -> Any:
        indicators = {}
        for required in spec.required_indicators:
            needed = self._catalogue.indicator(required.type)
            indicators[required.name] = self.calculate(needed, spec.indicator_params(required, params), data)
        signal = self._made(spec, params)
        return _answer(spec, lambda: signal.evaluate(data.copy(deep=False), indicators))

    def calculate(self, spec: ComponentSpec, params: Mapping[str, Scalar], data: pd.DataFrame) -> pd.Series | pd.DataFrame:
        indicator = self._made(spec, params)
        return checked_indicator(spec, _answer(spec, lambda: indicator.calculate(data.copy(deep=False))), data)

    def _made(self, spec: ComponentSpec, params: Mapping[str, Scalar]) -> Any:
        chosen = python_params(spec.given(params))
        return _answer(spec, lambda: getattr(self._module(spec), spec.class_name)(**chosen))

    def _module(self, spec: ComponentSpec) -> ModuleType:
        source = Path(spec.source).read_bytes()
        key = hashlib.sha256(spec.source.encode() + source).hexdigest()
        if key not in self._modules:
            module = ModuleType(f"{COMPONENTS}.{spec.dotted}")
            module.__file__ = spec.source
            sys.modules[module.__name__] = module  # where dataclasses look for the names in their annotations
            exec(compile(source, spec.source, "exec"), module.__dict__)
            self._modules[key] = module
        return self._modules[key]

    def _key(self, job: ComponentJob) -> str:
        params = json.dumps({name: str(value) for name, value in job.params.items()}, sort_keys=True)
        return "\0".join((job.component, self.fingerprint(job.component), params, job.candles.fingerprint))


def _answer(spec: ComponentSpec, call: Callable[[], Any]) -> Any:
    """Whatever a user's script raises becomes one sentence with its own line."""
    try:
        return call()
    except (Exception, SystemExit) as error:  # foreign code may raise anything, and must not end the program either
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == spec.source]
        line = frames[-1].lineno if frames else spec.line
        said = printable(" ".join(str(error).split()), 300)
        raise ComponentError(f"{spec.source}:{line}: {type(error).__name__}: {said}; mend the component or its parameters") from error


def run_alone(script: Path, data: pd.DataFrame, params: Mapping[str, Scalar]) -> pd.DataFrame:
    """One component file over one frame, as `python file.py` does it."""
    core = next((folder for folder in script.resolve().parents if folder.name == "core"), None)
    if core is None:
        raise ComponentError(f"{script}: a component lives in a workspace's core folder: core/indicators/<family> or core/signals")
    runner = InProcessRunner(core.parent)
    dotted = ".".join(script.resolve().relative_to(core).with_suffix("").parts)
    if dotted.startswith("signals."):
        spec = _fit(runner._catalogue.signal(dotted), params)
        result = runner.evaluate(spec, params, data)
        event_table(spec, result, data)
        return pd.DataFrame(result)
    spec = _fit(runner._catalogue.indicator(dotted), params)
    result = runner.calculate(spec, params, data)
    return result.to_frame(spec.name) if isinstance(result, pd.Series) else result


def _fit(spec: ComponentSpec, params: Mapping[str, Scalar]) -> ComponentSpec:
    """The component, if it takes these parameters: no strategy file has checked them."""
    for name, value in params.items():
        accepts = spec.parameters.get(name)
        fault = accepts.fault(value) if accepts else f"is no parameter, there is {', '.join(spec.parameters) or 'none'}"
        if fault:
            raise ComponentError(f"{spec.source}: {name} = {value}: {fault}")
    return spec
