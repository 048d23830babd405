"""What charts draw of a result and of indicators, made ready on the thread of the job: the window's has only to draw it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.present.pyramid import Pyramid
from sptrader_desktop.present.run_marks import Halt, halts, signal_marks
from sptrader_desktop.present.trade_marks import SignalMarks, TradeMarks, protective_levels, trade_marks
from sptrader_desktop.runtime.indicator_curves import Curve as IndicatorCurve
from sptrader_desktop.ui.charts.equity_chart import Curve, curve_of
from sptrader_desktop.ui.charts.line_series import Kind, Line

if TYPE_CHECKING:
    from sptrader_desktop.core.results import Result


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """`trades` and `signals` have a place for each series of candles that was traded. `instants` are the very ones of another drawing where
    they are the same: whoever draws both need not compare them."""

    result: "Result"
    instants: Int64Array
    curve: Curve
    halts: Sequence[Halt]
    trades: Sequence[TradeMarks]
    signals: Sequence[Sequence[SignalMarks]]


def drawing_of(result: "Result", before: Drawing | None = None) -> Drawing:
    """`before` is what is drawn now."""
    curve = curve_of(result.outcome.equity)  # first: its levels of detail are built beside the rest
    trades, places = result.outcome.trades, range(len(result.request.traded))
    instants = result.outcome.instants
    is_same = before is not None and result.hits is before.result.hits  # the same events, and the same rules that look at them
    stop, target = protective_levels(trades, result.job.plan.exits)
    return Drawing(
        result,
        before.instants if before is not None and np.array_equal(before.instants, instants) else instants,
        halts=halts(result),
        trades=[trade_marks(trades, place, stop, target) for place in places],
        signals=before.signals if before is not None and is_same else [signal_marks(result, place) for place in places],
        curve=curve.wait(),
    )


def kind_of(curve: IndicatorCurve) -> Kind:
    """MACD's third output is drawn as every trader knows it."""
    return "histogram" if curve.output == "histogram" and not curve.is_price else "line"


def lines_of(curves: Sequence[IndicatorCurve]) -> list[Line]:
    lines = [
        Line(curve.title, curve.values, curve.pane, kind_of(curve), Pyramid.of_line(curve.values), levels=curve.levels) for curve in curves
    ]
    for line in lines:
        if line.pyramid is not None:
            line.pyramid.wait()
    return lines
