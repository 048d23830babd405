"""The indicators that ship: equal to their definitions, blind to the future, deaf to a far past, rather without a value than wrong."""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.adapters.component_catalogue import read_component
from sptrader_desktop.adapters.inprocess_components import InProcessRunner
from sptrader_desktop.core.components import ComponentSpec
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.core.strategy import Scalar
from tests import indicator_oracles as oracle
from tests.command_line import ROOT, SAMPLE
from tests.indicator_markets import WORKSPACE, answered, calculate, candles, catalogue, difference, indicators, legal_params, markets

INDICATORS = indicators()
NAMES = {
    "trend": "sma ema wma dema tema hma kama trima macd adx aroon parabolic_sar supertrend ichimoku pivot_points",
    "momentum": "rsi stochastic stochastic_rsi cci roc momentum williams_r trix ppo cmo",
    "volatility": "atr natr true_range bollinger keltner donchian historical_volatility",
    "volume": "obv vwap mfi accumulation_distribution chaikin_money_flow",
    "statistics": "standard_deviation zscore linear_regression rolling_correlation percentile_rank",
}
# What they say depends on all history; of these two only the steps from bar to bar mean something.
FORGETFUL = [dotted for dotted, one in INDICATORS.items() if one.warm_up != "all"]
RUNNING_SUMS = {"obv": "obv", "accumulation_distribution": "ad"}
DAILY = ("pivot_points", "vwap")
# A day of the slow pace of 25 would need 4,000 bars to warm up.
LONGEST = {"kama": 6}


def spec(name: str) -> ComponentSpec:
    return catalogue().indicator(name)


def test_the_library_holds_what_others_build_on() -> None:
    assert set(INDICATORS) == {f"indicators.{family}.{name}" for family, names in NAMES.items() for name in names.split()}


# Definitions

PLAIN: dict[str, dict[str, Any]] = {
    "hma": {"period": 17},
    "trima": {"period": 12},
    "aroon": {"period": 9},
    "ichimoku": {"tenkan_period": 5, "kijun_period": 13, "senkou_period": 27, "displacement": 11},
    "macd": {"fast_period": 5, "slow_period": 13, "signal_period": 4},
    "ppo": {"fast_period": 4, "slow_period": 9},
    "trix": {"period": 5},
    "rsi": {"period": 9},
    "stochastic_rsi": {"period": 6, "stochastic_period": 11, "k_smooth": 3, "d_period": 4},
    "cmo": {"period": 11},
    "adx": {"period": 6},
    "keltner": {"period": 8, "atr_period": 5, "multiplier": 1.5},
    "supertrend": {"period": 7, "multiplier": 2.5},
    "bollinger": {"period": 13, "deviations": 2.5},
    "historical_volatility": {"period": 15},
    "zscore": {"period": 14},
    "linear_regression": {"period": 15},
    "rolling_correlation": {"period": 10},
    "percentile_rank": {"period": 21},
    "obv": {},
    "accumulation_distribution": {},
    "chaikin_money_flow": {"period": 9},
    "mfi": {"period": 12},
    "pivot_points": {},
    "vwap": {},
}


@pytest.mark.parametrize("name", PLAIN)
def test_it_equals_its_definition_in_plain_python(name: str) -> None:
    """Twelve days around a change of the New York clocks, with a weekend; where starts differ, from the warm-up on."""
    data = candles([("walk", 480)], seed=11, first="2024-03-06T05:00")
    params = {key: Decimal(str(value)) for key, value in PLAIN[name].items()}
    expected = getattr(oracle, name)(bars_of(data), **PLAIN[name])
    found = calculate(spec(name), data, params)
    known = 0
    start = (spec(name).bars_needed(params) or 1) if name == "trix" else 0
    for output, values in zip(spec(name).outputs, expected, strict=True):
        wanted = np.array([np.nan if value is None else value for value in values])
        # Sums of floats in another order differ by some units in the last place of what was summed.
        np.testing.assert_allclose(found[output].to_numpy()[start:], wanted[start:], rtol=1e-9, atol=1e-12 * np.nanmax(np.abs(wanted)))
        known += int(np.isfinite(wanted).sum())
    assert known > 250 * len(spec(name).outputs)


def bars_of(data: pd.DataFrame) -> oracle.Bars:
    columns = {name: data[name].to_list() for name in ("open", "high", "low", "close", "volume")}
    return oracle.Bars([stamp.to_pydatetime() for stamp in data.index], **columns)


# Future and past


@pytest.mark.parametrize("dotted", INDICATORS)
def test_a_value_never_changes_when_the_future_is_cut_off_and_is_never_infinite(dotted: str) -> None:
    cut_the_future_off(INDICATORS[dotted], examples=6)


@pytest.mark.parametrize("dotted", FORGETFUL)
def test_after_the_warm_up_it_does_not_matter_where_the_data_starts(dotted: str) -> None:
    cut_the_past_off(INDICATORS[dotted], examples=8)


@pytest.mark.campaign
@pytest.mark.parametrize("dotted", INDICATORS)
def test_neither_future_nor_far_past_matters_on_many_markets(dotted: str) -> None:
    cut_the_future_off(INDICATORS[dotted], examples=200)
    if dotted in FORGETFUL:
        cut_the_past_off(INDICATORS[dotted], examples=400)


def cut_the_future_off(checked: ComponentSpec, examples: int) -> None:
    @settings(max_examples=examples)
    @given(market=markets(300), params=legal_params(checked), bars=st.integers(1, 299))
    def check(market: pd.DataFrame, params: dict[str, Scalar], bars: int) -> None:
        whole = calculate(checked, market, params)
        assert not np.isinf(whole.to_numpy()).any()
        pd.testing.assert_frame_equal(calculate(checked, market.iloc[:bars], params), whole.iloc[:bars], check_exact=True)

    check()


def cut_the_past_off(checked: ComponentSpec, examples: int) -> None:
    @settings(max_examples=examples)
    @given(data=st.data(), params=legal_params(checked, LONGEST.get(checked.name, 25)), cut=st.integers(1, 250))
    def check(data: st.DataObject, params: dict[str, Scalar], cut: int) -> None:
        market = data.draw(markets(bars_needed(checked, params) + 300))
        assert remembered(checked, market, params, cut) is None

    check()


def bars_needed(checked: ComponentSpec, params: Mapping[str, Scalar]) -> int:
    needed = checked.bars_needed(params)
    assert needed is not None
    return needed


def remembered(checked: ComponentSpec, market: pd.DataFrame, params: Mapping[str, Scalar], cut: int) -> str | None:
    """What is different after the warm-up of data that starts `cut` bars later."""
    late, whole = calculate(checked, market.iloc[cut:], params), calculate(checked, market, params)
    warm = bars_needed(checked, params) - 1
    return difference(late.iloc[warm:], whole.iloc[cut + warm :])


@pytest.mark.parametrize("name", ["ema", "macd", "rsi", "adx", "trix"])
def test_a_long_memory_forgets_a_wild_past_too(name: str) -> None:
    """A period of 100, and a past a thousand times as wild as what came after it."""
    long: dict[str, Scalar] = {"fast_period": Decimal(60), "slow_period": Decimal(100)} if name == "macd" else {"period": Decimal(100)}
    market = candles([("wild", 2_000), ("flat", 700), ("quiet", bars_needed(spec(name), long)), ("flat", 1_200), ("walk", 300)], seed=5)
    for cut in (1, 1_999, 2_300, 2_800):
        assert remembered(spec(name), market, long, cut) is None


@pytest.mark.parametrize("name", DAILY)
def test_what_counts_by_the_day_needs_no_more_than_the_days_it_speaks_of(name: str) -> None:
    """Values are there from the second or third trading day of the data on, and then the same wherever it starts."""
    market = candles([("walk", 240)], seed=3)
    whole = calculate(spec(name), market)
    for cut in range(1, 150, 7):
        late = calculate(spec(name), market.iloc[cut:])
        known = late.notna().any(axis=1)
        assert known.to_numpy()[60:].all()
        assert difference(late[known], whole.iloc[cut:][known]) is None


@pytest.mark.parametrize("name", RUNNING_SUMS)
def test_a_running_sum_takes_the_same_steps_wherever_it_starts(name: str) -> None:
    market = candles([("walk", 200), ("flat", 30), ("wild", 70)], seed=8)
    steps, late = (calculate(spec(name), part)[RUNNING_SUMS[name]].diff().iloc[1:] for part in (market, market.iloc[50:]))
    np.testing.assert_allclose(late, steps.iloc[50:], atol=1e-6)


PLANTED = """
import pandas as pd
from sptrader_desktop.sdk import ema, wilder
__metadata_version__ = 2
__metadata__ = {"name": "planted", "family": "test", "outputs": ["planted"], "warm_up": "%s"}
class Planted:
    def calculate(self, data):
        close = data["close"]
        return %s
"""


@pytest.mark.parametrize(
    ("warm_up", "formula"),
    [
        ("19", "close.rolling(20).sum()"),
        ("60", "ema(close, 10)"),
        ("150", "wilder(close.diff().abs(), 10)"),
        ("400", "close / close.cumsum()"),
        # Two averages of the usual kind: their ratio keeps its value through a market that stands still.
        ("400", "close.diff().clip(lower=0.0).ewm(alpha=0.1).mean() / close.diff().abs().ewm(alpha=0.1).mean()"),
        ("400", "close.diff().where(close.diff() != 0).ffill()"),
    ],
)
def test_the_comparison_sees_a_past_that_is_not_forgotten(tmp_path: Path, warm_up: str, formula: str) -> None:
    path = tmp_path / "core" / "indicators" / "test" / "planted.py"
    path.parent.mkdir(parents=True)
    path.write_text(PLANTED % (warm_up, formula), encoding="utf-8")
    planted = read_component(path, tmp_path / "core", "indicators")
    market = candles([("walk", 300), ("flat", 450), ("walk", 200)], seed=2)
    warm = bars_needed(planted, {}) - 1

    def planted_values(part: pd.DataFrame) -> pd.DataFrame:
        return answered(InProcessRunner(tmp_path), planted, part)

    assert any(
        difference(planted_values(market.iloc[cut:]).iloc[warm:], planted_values(market).iloc[cut + warm :]) is not None
        for cut in (40, 310)
    )


# Markets that stand still, and short ones

STILL: dict[str, dict[str, float]] = {
    "adx": {"adx": 0.0, "plus_di": np.nan, "minus_di": np.nan},
    "aroon": {"up": 100.0, "down": 100.0, "oscillator": 0.0},
    "atr": {"atr": 0.0},
    "bollinger": {"upper": 1.1, "middle": 1.1, "lower": 1.1, "width": 0.0, "percent_b": np.nan},
    "cci": {"cci": np.nan},
    "chaikin_money_flow": {"cmf": np.nan},
    "cmo": {"cmo": np.nan},
    "donchian": {"upper": 1.1, "middle": 1.1, "lower": 1.1},
    "ema": {"ema": 1.1},
    "historical_volatility": {"volatility": 0.0},
    "hma": {"hma": 1.1},
    "kama": {"kama": 1.1},
    "keltner": {"upper": 1.1, "middle": 1.1, "lower": 1.1},
    "linear_regression": {"slope": 0.0, "value": 1.1, "r2": np.nan},
    "macd": {"macd": 0.0, "signal": 0.0, "histogram": 0.0},
    "mfi": {"mfi": np.nan},
    "natr": {"natr": 0.0},
    "obv": {"obv": 0.0},
    "percentile_rank": {"rank": 100.0},
    "ppo": {"ppo": 0.0},
    "roc": {"roc": 0.0},
    "rolling_correlation": {"correlation": np.nan},
    "rsi": {"rsi": np.nan},
    "sma": {"sma": 1.1},
    "standard_deviation": {"standard_deviation": 0.0},
    "stochastic": {"k": np.nan, "d": np.nan},
    "stochastic_rsi": {"k": np.nan, "d": np.nan},
    "trix": {"trix": 0.0},
    "vwap": {"vwap": np.nan},
    "williams_r": {"williams_r": np.nan},
    "wma": {"wma": 1.1},
    "zscore": {"zscore": np.nan},
}


@pytest.mark.parametrize("name", STILL)
def test_a_market_that_never_moved_has_exactly_these_values(name: str) -> None:
    """Averages are the price and not nearly the price, distances are zero, and shares of nothing are no value."""
    still = candles([("flat", 400)], seed=1)
    np.testing.assert_equal(calculate(spec(name), still).iloc[-1].to_dict(), STILL[name])


@pytest.mark.parametrize("dotted", INDICATORS)
@pytest.mark.parametrize("bars", [1, 2, 3])
def test_too_few_bars_are_no_error(dotted: str, bars: int) -> None:
    assert len(calculate(INDICATORS[dotted], candles([("walk", bars)], seed=4))) == bars


@pytest.mark.parametrize("dotted", INDICATORS)
def test_a_market_that_moves_has_values_from_the_warm_up_on(dotted: str) -> None:
    checked = INDICATORS[dotted]
    needed = (checked.bars_needed({}) or 100) if checked.name != "kama" else 100
    values = calculate(checked, candles([("walk", needed + 100)], seed=6)).iloc[needed - 1 :]
    assert values.notna().all(axis=None)
    # A walk has no two bars alike; steps have few values but more than one.
    assert (values.nunique() > 1).all()


# As files


@pytest.mark.parametrize("name", ["macd", "ppo", "kama"])
def test_a_fast_period_that_is_not_the_shorter_one_is_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(ComponentError, match=r"fast_period 30 must be below slow_period 30: shorten it"):
        calculate(spec(name), candles([("walk", 50)], seed=1), {"fast_period": Decimal(30), "slow_period": Decimal(30)})


def test_an_indicator_imports_the_sdk_numpy_and_pandas_and_nothing_else() -> None:
    for dotted, one in INDICATORS.items():
        tree = ast.parse(Path(one.source).read_text(encoding="utf-8"))
        names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
        froms = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        assert {*names, *froms} <= {"numpy", "pandas", "sptrader_desktop.sdk"}, dotted


RUN_EACH = """
import os, runpy, sys
for path in sys.argv[1:]:
    os.chdir(os.path.dirname(path))
    runpy.run_path(os.path.basename(path), run_name="__main__")
"""


def test_every_indicator_runs_alone_from_its_own_folder(tmp_path: Path) -> None:
    """As `cd …/trend && TEST_DATASET=… python sma.py` does, one after the other in one process to load the libraries once."""
    shutil.copytree(WORKSPACE / "core" / "indicators", tmp_path / "core" / "indicators")
    shutil.copytree(WORKSPACE / "data", tmp_path / "data")
    files = sorted((tmp_path / "core" / "indicators").glob("*/*.py"))
    environment = {**os.environ, "TEST_DATASET": SAMPLE.name, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-c", RUN_EACH, *files], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (ran.stderr, ran.returncode) == ("", 0)
    assert len(files) == len(INDICATORS)
    for one in INDICATORS.values():
        assert f"{one.name} ({one.class_name}): 2614 rows over 2614 candles" in ran.stdout


def guide_row(one: ComponentSpec) -> str:
    params = ", ".join(f"`{name}` {parameter.default}" for name, parameter in one.parameters.items())
    outputs = " ".join(f"`{name}`" for name in one.outputs)
    tree = ast.parse(Path(one.source).read_text(encoding="utf-8"))
    metadata = next(node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__metadata__")
    said = ast.literal_eval(metadata)["description"].replace("|", "\\|")
    return f"| `{one.name}` | {params} | {outputs} | {one.warm_up.replace('*', '×')} | {said} |"


def test_the_guide_lists_every_indicator_as_it_is() -> None:
    guide = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    section = guide.partition("## The indicators\n")[2].partition("\n## ")[0]
    listed = [line for line in section.splitlines() if line.startswith("| `")]
    assert sorted(listed) == sorted(guide_row(one) for one in INDICATORS.values())
