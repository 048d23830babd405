"""What passes between the program and components as plain columns and values: no pandas, which the program itself can do without."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.strategy import Scalar


def candle_columns(candles: Candles) -> dict[str, NDArray[np.float64]]:
    """Prices as the nearest floats of their exact decimals."""
    prices, one = candles.prices, candles.instrument.ticks_per_one
    volume = candles.volume if candles.volume is not None else np.zeros(len(candles))
    return {name: getattr(prices, name) / one for name in ("open", "high", "low", "close")} | {"volume": volume}


def candle_attrs(candles: Candles) -> dict[str, Any]:
    return {"symbol": candles.symbol, "timeframe": candles.timeframe, "ticks_per_one": candles.instrument.ticks_per_one}


def python_params(params: Mapping[str, Scalar]) -> dict[str, Any]:
    """Exact values as the numbers a script expects."""
    return {name: _plain(value) for name, value in params.items()}


def _plain(value: Scalar) -> Any:
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)
