"""What a strategy's signals looked at, as curves to draw: the indicators they require, with the parameters they were given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.components import Catalogue, ComponentSpec
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.core.strategy import Scalar, Strategy
from sptrader_desktop.ports import Answer, ComponentJob, ComponentRunner

# An output belongs on the candles when nearly all of its values lie this near to the close, as a share of it.
NEAR_PRICE = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One output of an indicator over all bars, NaN where it has no value; `is_price` when it belongs on the candles.

    What has a pane of its own may be read against `levels`.
    """

    indicator: str
    output: str
    params: str
    values: NDArray[np.float64]
    is_price: bool
    levels: tuple[float, ...] = ()

    @property
    def title(self) -> str:
        """`MACD histogram (12, 26, 9)`: an output that is the indicator itself needs no second name."""
        output = "" if self.output in {"value", self.indicator} else f" {self.output}"
        return f"{self.indicator.upper()}{output} ({self.params})" if self.params else f"{self.indicator.upper()}{output}"

    @property
    def pane(self) -> str | None:
        """None for what lies on the candles."""
        if self.is_price:
            return None
        return f"{self.indicator.upper()} ({self.params})" if self.params else self.indicator.upper()


def indicator_curves(strategy: Strategy, candles: Candles, catalogue: Catalogue, runner: ComponentRunner) -> Sequence[Curve]:
    """Each indicator once, however many signals ask for it; one that fails has no curve, its signal has said so."""
    jobs: dict[tuple[str, str], ComponentJob] = {}
    for use in strategy.signals:
        signal = catalogue.signal(use.component)
        for required in signal.required_indicators:
            params = signal.indicator_params(required, use.params)
            dotted = catalogue.indicator(required.type).dotted
            shown = ", ".join(f"{value}" for value in params.values())
            jobs.setdefault((dotted, shown), ComponentJob(dotted, params, candles))
    curves: list[Curve] = []
    for (dotted, shown), answer in zip(jobs, runner.run(list(jobs.values())), strict=True):
        if isinstance(answer.result, ComponentError):
            continue
        curves += _curves(catalogue.indicator(dotted), shown, answer, candles)
    return curves


def curves_of(spec: ComponentSpec, params: Mapping[str, Scalar], candles: Candles, runner: ComponentRunner) -> Sequence[Curve]:
    """One indicator by itself, whose ComponentError is raised; `params` are shown as they are given."""
    (answer,) = runner.run([ComponentJob(spec.dotted, params, candles)])
    return _curves(spec, ", ".join(f"{value}" for value in params.values()), answer, candles)


def _curves(spec: ComponentSpec, shown: str, answer: Answer, candles: Candles) -> Sequence[Curve]:
    found = answer.values().items()
    return [Curve(spec.name, output, shown, values, is_price(values, candles), spec.levels) for output, values in found]


def is_price(values: NDArray[np.float64], candles: Candles) -> bool:
    """By its numbers: metadata does not say, and the same family holds averages of prices and of their changes."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return False
    close = candles.prices.close[known] * float(candles.instrument.tick)
    return bool(np.quantile(np.abs(values[known] / close - 1), 0.95) < NEAR_PRICE)
