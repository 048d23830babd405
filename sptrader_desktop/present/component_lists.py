"""Components as lines to read: what the workspace holds, and the table that one of them answers."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.components import Catalogue, ComponentSpec, ParameterSpec
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.ports import Values
from sptrader_desktop.present.numbers import NONE


def component_lines(catalogue: Catalogue) -> Iterator[str]:
    for title, names in (("Indicators", catalogue.indicators), ("Signals", catalogue.signals)):
        yield f"{title} ({len(names)})"
        for name in names:
            found = catalogue.found[name]
            yield from _broken(name, found) if isinstance(found, ComponentError) else _whole(found)


def _broken(name: str, error: ComponentError) -> Iterator[str]:
    yield f"  {name}: BROKEN"
    yield from (f"    {line}" for line in str(error).splitlines())


def _whole(spec: ComponentSpec) -> Iterator[str]:
    yield f"  {spec.dotted}"
    parameters = ", ".join(_parameter(name, parameter) for name, parameter in spec.parameters.items())
    yield f"    parameters  {parameters or NONE}"
    if spec.event_types:
        yield f"    events      {', '.join(spec.event_types)}"
    yield f"    outputs     {', '.join(spec.outputs) or NONE}"
    if spec.required_indicators:
        yield f"    requires    {', '.join(f'{required.name} ({required.type})' for required in spec.required_indicators)}"
    bars = spec.bars_needed({})
    yield f"    warm-up     {spec.warm_up}" + ("" if bars is None or spec.warm_up == str(bars) else f" ({bars:,} bars by default)")


def _parameter(name: str, parameter: ParameterSpec) -> str:
    bounds = [f"from {parameter.low}"] if parameter.low is not None else []
    bounds += [f"to {parameter.high}"] if parameter.high is not None else []
    allowed = " | ".join(parameter.choices) or " ".join(bounds)
    return f"{name}={parameter.default}" + (f" ({allowed})" if allowed else "")


def answer_lines(spec: ComponentSpec, candles: Candles, result: EventTable | Values, most: int) -> Iterator[str]:
    """The last rows; an indicator has one for each bar, a signal one for each event."""
    over = f"{candles.symbol} {candles.timeframe}, {len(candles):,} bars"
    if isinstance(result, EventTable):
        yield f"{spec.dotted} on {over}: {len(result):,} event{'' if len(result) == 1 else 's'}"
        columns = {"type": result.type, "strength": result.strength, **result.metadata}
        bars = result.bar
    else:
        known = [int(np.count_nonzero(~np.isnan(column))) for column in result.values()]
        yield f"{spec.dotted} on {over}: {', '.join(f'{name} on {count:,}' for name, count in zip(result, known, strict=True))}"
        columns, bars = dict(result), np.arange(len(candles))
    shown = slice(max(0, len(bars) - most), None)
    times = [str(np.datetime64(int(stamp), "m")).replace("T", " ") + "Z" for stamp in candles.timestamp[bars[shown]] // 60_000_000]
    if times:
        yield from _table(["time", *columns], [times, *(_texts(column[shown]) for column in columns.values())])


def _texts(column: NDArray[np.generic]) -> list[str]:
    return [_text(value) for value in column.tolist()]


def _text(value: object) -> str:
    if isinstance(value, float):
        return NONE if np.isnan(value) else f"{value:.6g}"
    return NONE if value is None else str(value)


def _table(heads: Sequence[str], columns: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, (head, *cells))) for head, cells in zip(heads, columns, strict=True)]
    for first, *rest in ([*heads], *zip(*columns, strict=True)):
        cells = (cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
        yield "  ".join([first.ljust(widths[0]), *cells]).rstrip()
