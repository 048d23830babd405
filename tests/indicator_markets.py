"""Markets for indicators: walks, trends, gaps, seesaws and prices that stand still, in any order; and how indicators run on them."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from sptrader_desktop.adapters.component_catalogue import load_catalogue
from sptrader_desktop.adapters.component_frames import table_of
from sptrader_desktop.adapters.inprocess_components import InProcessRunner
from sptrader_desktop.core.components import Catalogue, ComponentSpec
from sptrader_desktop.core.strategy import Scalar
from tests.command_line import ROOT

WORKSPACE = ROOT / "workspace"
KINDS = ("walk", "quiet", "wild", "rise", "fall", "seesaw", "flat", "jump")
Phase = tuple[str, int]


@cache
def catalogue() -> Catalogue:
    return load_catalogue(WORKSPACE)


@cache
def runner() -> InProcessRunner:
    return InProcessRunner(WORKSPACE, catalogue())


def indicators() -> dict[str, ComponentSpec]:
    return {name: spec for name, spec in catalogue().found.items() if isinstance(spec, ComponentSpec) and not spec.is_signal}


def calculate(spec: ComponentSpec, data: pd.DataFrame, params: Mapping[str, Scalar] | None = None) -> pd.DataFrame:
    """The declared outputs as columns."""
    return answered(runner(), spec, data, params)[list(spec.outputs)]


def answered(by: InProcessRunner, spec: ComponentSpec, data: pd.DataFrame, params: Mapping[str, Scalar] | None = None) -> pd.DataFrame:
    """What the program believes of the answer."""
    stamps = pd.DatetimeIndex(data.index).as_unit("us").asi8
    return table_of(by.believed(spec, params or {}, data, stamps).columns)


def difference(one: pd.DataFrame, other: pd.DataFrame) -> str | None:
    """The first value in which two results differ by more than a billionth of itself."""
    for name in one:
        a, b = one[name].to_numpy(), other[name].to_numpy()
        is_same = (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= 1e-9 * np.maximum(np.abs(a), np.abs(b)))
        if not is_same.all():
            bar = int(np.argmin(is_same))
            return f"{name} at {one.index[bar]}: {a[bar]!r} and {b[bar]!r}"
    return None


def _moves(kind: str, bars: int, rng: np.random.Generator) -> np.ndarray:
    match kind:
        case "walk":
            return rng.integers(-40, 41, bars)
        case "quiet":
            return rng.integers(-1, 2, bars) * (rng.random(bars) < 0.2)
        case "wild":
            return rng.integers(-900, 901, bars)
        case "rise":
            return np.ones(bars, np.int64)
        case "fall":
            return -rng.integers(0, 3, bars)
        case "seesaw":
            return np.resize([7, -7], bars)
        case "jump":
            return np.concatenate([rng.choice([-9_000, 9_000], 1), np.zeros(bars - 1, np.int64)])
    return np.zeros(bars, np.int64)


def candles(phases: list[Phase], seed: int, first: str = "2024-01-03T05:00") -> pd.DataFrame:
    """Hourly bars of the FX week, one stretch of the market after the other."""
    rng = np.random.default_rng(seed)
    moves = np.concatenate([_moves(kind, bars, rng) for kind, bars in phases])
    still = np.concatenate([np.full(bars, kind in {"flat", "jump"}) for kind, bars in phases])
    walk = np.cumsum(moves)
    close = 110_000 + walk - min(0, int(walk.min()) + 60_000)
    count = len(close)
    opens = np.where(still, close, np.concatenate([close[:1], close[:-1]]) + rng.integers(-2, 3, count))
    reach = np.where(still, 0, rng.integers(0, 25, (2, count)))
    high, low = np.maximum(opens, close) + reach[0], np.minimum(opens, close) - reach[1]
    volume = rng.integers(0, 2_000, count) * (rng.random(count) < 0.9) * ~still
    hours = np.arange(2 * count + 200)
    stamps = np.datetime64(first, "us") + hours * np.timedelta64(1, "h")
    # Open from Sunday 22:00 to Friday 21:00 UTC; 1970-01-01 was a Thursday.
    week_hour = (stamps.astype("M8[h]").astype(np.int64) + 3 * 24) % (7 * 24)
    stamps = stamps[(week_hour < 4 * 24 + 21) | (week_hour >= 6 * 24 + 22)][:count]
    prices = {name: column / 100_000 for name, column in (("open", opens), ("high", high), ("low", low), ("close", close))}
    index = pd.DatetimeIndex(stamps, name="timestamp").tz_localize("UTC")
    frame = pd.DataFrame({**prices, "volume": volume.astype(np.float64)}, index=index)
    frame.attrs = {"symbol": "EURUSD", "timeframe": "1h", "ticks_per_one": 100_000}
    return frame


def markets(bars: int) -> st.SearchStrategy[pd.DataFrame]:
    """Some `bars` candles: phases of one to a few hundred."""

    def fitted(phases: list[Phase], seed: int) -> pd.DataFrame:
        whole = phases * (1 + bars // sum(length for _, length in phases))
        return candles(whole, seed).iloc[:bars]

    phases = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 400)), min_size=1, max_size=6)
    return st.builds(fitted, phases, st.integers(0, 2**32 - 1))


def legal_params(spec: ComponentSpec, longest: int = 25) -> st.SearchStrategy[dict[str, Scalar]]:
    """Parameters within their declared ranges, periods kept short so that a warm-up fits into a test; fast ones below slow ones."""
    return st.fixed_dictionaries({name: _values(spec, name, longest) for name in spec.parameters}).map(_in_order)


def _values(spec: ComponentSpec, name: str, longest: int) -> st.SearchStrategy[Scalar]:
    parameter = spec.parameters[name]
    if parameter.choices:
        return st.sampled_from(parameter.choices)
    assert parameter.low is not None
    assert parameter.high is not None
    if parameter.type == "int":
        return st.integers(int(parameter.low), min(longest, int(parameter.high))).map(Decimal)
    return st.decimals(parameter.low, min(parameter.high, Decimal(10)), places=4)


def _in_order(params: dict[str, Scalar]) -> dict[str, Scalar]:
    if "fast_period" in params:
        fast, slow = sorted((Decimal(str(params["fast_period"])), Decimal(str(params["slow_period"]))))
        params |= {"fast_period": fast, "slow_period": max(slow, fast + 1)}
    return params
