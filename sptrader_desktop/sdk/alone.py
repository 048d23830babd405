"""A component file run as a script: candles, parameters and indicators from the environment, the result to a file or the terminal.

So it runs by itself, and so the engine's workers run it: what the variables mean is a public contract.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sptrader_desktop.sdk.publisher import SignalPublisher
from sptrader_desktop.sdk.sources import load_data_from_env

if TYPE_CHECKING:
    from sptrader_desktop.adapters.component_checks import Believed
    from sptrader_desktop.core.components import ComponentSpec

_EXAMPLE = '{"period": 20}'


def _from_json(variable: str, example: str) -> dict[str, Any]:
    text = os.environ.get(variable) or "{}"
    try:
        values = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except ValueError as error:
        raise SystemExit(f"{variable}={text}: this is not JSON ({error}); write it like {example}") from None
    if not isinstance(values, dict):
        raise SystemExit(f"{variable}={text}: give names with their values, like {example}")
    return values


def main(component: type, metadata: Mapping[str, Any]) -> None:
    """Run a component file on what the environment names; the result goes to RESULT_PATH (Arrow) or the terminal."""
    import __main__ as script
    from sptrader_desktop.core.errors import SptraderError

    publishes = _publishes()
    params, data = _from_json("COMPONENT_PARAMS", _EXAMPLE), load_data_from_env()
    target = _target()
    try:
        found = _believed(component, Path(str(script.__file__)), params, data)
    except SptraderError as error:
        raise SystemExit(str(error)) from None
    if target:
        _write_result(found, target)
    else:
        _show(found, f"{metadata['name']} ({component.__name__}): {found.columns.rows} rows over {len(data)} candles")
    if publishes:
        _publish(Path(str(script.__file__)).stem, found, data)


def _publishes() -> bool:
    said = os.environ.get("PUBLISH_LIVE") or "false"
    if said.lower() not in {"true", "false"}:
        raise SystemExit(f"PUBLISH_LIVE={said}: give true to publish the signals of the newest bar, or false")
    return said.lower() == "true"


def _publish(name: str, found: "Believed", data: pd.DataFrame) -> None:
    """What the newest bar says; that it says nothing is told too, so that nobody waits for it. Indicators have nothing to publish."""
    from sptrader_desktop.core.rules import EventTable
    from sptrader_desktop.core.signals import NONE

    if not isinstance(found.result, EventTable):
        return
    events, bar = found.result.at(len(data) - 1), data.index[-1]
    with SignalPublisher(symbol=data.attrs["symbol"], timeframe=data.attrs["timeframe"]) as publisher:
        for row in range(len(events)):
            metadata = {key: column[row] for key, column in events.metadata.items()}
            _tell(publisher, publisher.publish_signal(name, events.type[row], events.strength[row], metadata, bar_time=bar))
        if not len(events):
            _tell(publisher, publisher.publish_signal(name, NONE, 0.0, bar_time=bar))
    kinds = ", ".join(events.type) or "no signal"
    print(f"published of the bar {bar.strftime('%Y-%m-%d %H:%M')} UTC: {kinds}")


def _tell(publisher: SignalPublisher, is_published: bool) -> None:
    if not is_published:
        raise SystemExit(publisher.problem)


def _target() -> Path | None:
    """Where the result goes, looked at before anything is computed for it."""
    name = os.environ.get("RESULT_PATH")
    if name and not Path(name).absolute().parent.is_dir():
        raise SystemExit(_unwritable(Path(name), "there is no such folder"))
    return Path(name) if name else None


def _believed(component: type, script: Path, params: Mapping[str, Any], data: pd.DataFrame) -> "Believed":
    from sptrader_desktop.adapters.component_calls import answer_of
    from sptrader_desktop.adapters.component_catalogue import component_at
    from sptrader_desktop.adapters.component_checks import believed

    spec = component_at(script)
    _refuse_unfit(spec, params)
    stamps = data.index.as_unit("us").asi8  # type: ignore[attr-defined]  # a DatetimeIndex
    return believed(spec, answer_of(spec, component, params, data, _indicators(spec, script, params, data)), stamps)


def _indicators(spec: "ComponentSpec", script: Path, params: Mapping[str, Any], data: pd.DataFrame) -> dict[str, Any]:
    """From the files that INDICATORS names, else computed here."""
    if not spec.required_indicators:
        return {}
    if os.environ.get("INDICATORS"):
        from sptrader_desktop.adapters.arrow_frames import read_indicators

        return read_indicators(_from_json("INDICATORS", '{"ma_fast": "fast.arrow"}'), str(script))
    from sptrader_desktop.adapters.component_catalogue import core_of
    from sptrader_desktop.adapters.inprocess_components import InProcessRunner

    stamps = data.index.as_unit("us").asi8  # type: ignore[attr-defined]  # a DatetimeIndex
    return InProcessRunner(core_of(script).parent).indicators(spec, params, data, stamps)


def _refuse_unfit(spec: "ComponentSpec", params: Mapping[str, Any]) -> None:
    """No strategy file has checked them."""
    for name, value in params.items():
        accepts = spec.parameters.get(name)
        fault = accepts.fault(value) if accepts else f"is no parameter, there is {', '.join(spec.parameters) or 'none'}"
        if fault:
            raise SystemExit(f"{spec.source}: {name} = {value}: {fault}")


def _write_result(found: "Believed", target: Path) -> None:
    from sptrader_desktop.adapters.arrow_components import write_answer

    try:
        write_answer(found.columns, target)
    except OSError as error:
        raise SystemExit(_unwritable(target, error.strerror or str(error))) from None


def _unwritable(target: Path, why: str) -> str:
    return f"RESULT_PATH={target}: it cannot be written ({why}); name a file in a folder of yours"


def _show(found: "Believed", title: str) -> None:
    from sptrader_desktop.adapters.component_frames import table_of

    with suppress(BrokenPipeError), pd.option_context("display.max_rows", 40, "display.width", 140):
        print(title)
        print(table_of(found.columns))
