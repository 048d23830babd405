"""Runs component files in this process: simple, without isolation or limits. The worker pool implements the same port."""

import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from sptrader_desktop.adapters.component_calls import answer_of, called, neighbours
from sptrader_desktop.adapters.component_catalogue import load_catalogue
from sptrader_desktop.adapters.component_checks import Believed, believed
from sptrader_desktop.adapters.component_frames import Frame, candle_frame, indicator_of
from sptrader_desktop.adapters.component_memory import ResultMemory, result_key
from sptrader_desktop.adapters.component_sources import ComponentSources
from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.components import Catalogue, ComponentSpec
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.core.strategy import Scalar
from sptrader_desktop.ports import Answer, ComponentJob, Values

COMPONENTS = "sptrader_components"  # no package of anybody's: the name under which scripts are modules


class InProcessRunner:
    """Results are remembered by source, parameters and data; candles without a fingerprint are never remembered."""

    def __init__(self, workspace: Path, catalogue: Catalogue | None = None) -> None:
        self._catalogue = catalogue or load_catalogue(workspace)
        self._sources = ComponentSources(self._catalogue)
        self._modules: dict[str, ModuleType] = {}
        self._memory = ResultMemory()

    def run(self, jobs: Sequence[ComponentJob]) -> list[Answer]:
        return [self._answer(job) for job in jobs]

    def fingerprint(self, component: str) -> str:
        return self._sources.fingerprint(component)

    def _answer(self, job: ComponentJob) -> Answer:
        try:
            return Answer(self._remembered(job))
        except ComponentError as error:
            return Answer(error)

    def _remembered(self, job: ComponentJob) -> EventTable | Values:
        spec = self._catalogue.component(job.component)
        key = result_key(spec, job, self.fingerprint(job.component))
        found = self._memory.get(key)
        if found is None:
            found = self.believed(spec, job.params, candle_frame(job.candles), job.candles.timestamp)
            self._memory.put(key, found)
        return found.result

    def believed(self, spec: ComponentSpec, params: Mapping[str, Scalar], data: Frame, stamps: Int64Array) -> Believed:
        component = called(spec, lambda: getattr(self._module(spec), spec.class_name))
        with neighbours(Path(spec.source).parent):
            return believed(spec, answer_of(spec, component, params, data, self.indicators(spec, params, data, stamps)), stamps)

    def indicators(self, spec: ComponentSpec, params: Mapping[str, Scalar], data: Frame, stamps: Int64Array) -> dict[str, Any]:
        """What a signal requires, by the names it knows them by."""
        found = {}
        for required in spec.required_indicators:
            needed = self._catalogue.indicator(required.type)
            values = self.believed(needed, spec.indicator_params(required, params), data, stamps)
            found[required.name] = indicator_of(values.columns, data.index)
        return found

    def _module(self, spec: ComponentSpec) -> ModuleType:
        key = hashlib.sha256(spec.source.encode() + self.fingerprint(spec.dotted).encode()).hexdigest()
        if key not in self._modules:
            path = Path(spec.source)
            source = path.read_bytes()
            module = ModuleType(f"{COMPONENTS}.{spec.dotted}")
            module.__file__ = spec.source
            sys.modules[module.__name__] = module  # where dataclasses look for the names in their annotations
            with neighbours(path.parent):
                exec(compile(source, spec.source, "exec"), module.__dict__)
            self._modules[key] = module
        return self._modules[key]
