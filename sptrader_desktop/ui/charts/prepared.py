"""What charts draw of a result and of indicators, made ready on the thread of the job: the window's has only to draw it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sptrader_desktop.present.pyramid import Pyramid
from sptrader_desktop.present.run_marks import Halt, halts, signal_marks
from sptrader_desktop.present.trade_marks import SignalMarks, TradeMarks, protective_levels, trade_marks
from sptrader_desktop.runtime.indicator_curves import Curve as IndicatorCurve
from sptrader_desktop.ui.charts.equity_chart import Curve, prepared
from sptrader_desktop.ui.charts.line_series import Kind, Line

if TYPE_CHECKING:
    from sptrader_desktop.core.results import Result


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """`trades` and `signals` have a place for each series of candles that was traded."""

    result: "Result"
    curve: Curve
    halts: Sequence[Halt]
    trades: Sequence[TradeMarks]
    signals: Sequence[Sequence[SignalMarks]]


def drawing_of(result: "Result") -> Drawing:
    trades, places = result.outcome.trades, range(len(result.request.traded))
    stop, target = protective_levels(trades, result.job.plan.exits)
    return Drawing(
        result,
        prepared(result.outcome.equity),
        halts(result),
        [trade_marks(trades, place, stop, target) for place in places],
        [signal_marks(result, place) for place in places],
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
