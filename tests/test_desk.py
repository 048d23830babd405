"""The window's desk, without a window: it gives what the command line gives, and reads nothing twice."""

import json
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sptrader_desktop import compose, compose_candles, compose_data
from sptrader_desktop.adapters.catalogue_candles import CandleCatalogue
from sptrader_desktop.app.desk import KEPT, WindowDesk
from sptrader_desktop.core.errors import DataError, StrategyError
from sptrader_desktop.present.navigator import Kind
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.settings import Settings, load_settings
from sptrader_desktop.ui.desk import Finished, Series
from tests.candle_builders import bars, long_bars, parquet
from tests.http_servers import serving
from tests.kept_candles import hourly, mid_of
from tests.test_http_candles import Shop, candle_rows


@pytest.fixture(scope="module")
def desk() -> WindowDesk:
    desk = WindowDesk(load_settings())
    desk.warm_up()
    return desk


@pytest.fixture(scope="module")
def finished(desk: WindowDesk) -> Finished:
    recipe = Recipe(str(crossover(desk)), data=(sample(desk).path,))
    return desk.backtest(recipe, crossover(desk).read_text())


def crossover(desk: WindowDesk) -> Path:
    return next(path for path in desk.strategies() if path.stem == "ma_crossover")


def sample(desk: WindowDesk) -> Series:
    return next(item for item in desk.series() if (item.symbol, item.timeframe) == ("EURUSD", "1h"))


def test_a_kept_run_is_the_one_that_the_command_line_keeps(desk: WindowDesk, finished: Finished) -> None:
    settings = load_settings()
    read = compose.strategy_of(finished.recipe, settings)
    _, document = compose.run_prepared(compose.prepare(finished.recipe, settings, read))
    stored = compose.run_store(settings).load(desk.keep(finished))
    assert stored.document == document
    assert json.loads(document)["total_trades"] == len(finished.result.outcome.trades) > 0


def test_what_is_watched_is_read_once_and_displaces_no_candles(desk: WindowDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content, files = Path(sample(desk).path).read_bytes(), [tmp_path / f"EURUSD_1h_{number}.parquet" for number in range(KEPT + 3)]
    for file in files:
        file.write_bytes(content)
    looked_at, watched = [Series("EURUSD", "1h", str(file)) for file in files[:KEPT]], [Series("EURUSD", "1h", str(file)) for file in files]
    charts = [desk.candles(series) for series in looked_at]
    rows = [desk.watched(series) for series in watched]
    assert {(row.last, row.origin) for row in rows} == {(int(charts[0].prices.close[-1]), "1h")}
    with monkeypatch.context() as patch:
        patch.setattr("sptrader_desktop.app.desk.recipe_candles", lambda *_: pytest.fail("it was read already"))
        assert [desk.watched(series) for series in watched] == rows
        assert all(desk.candles(series) is candles for series, candles in zip(looked_at, charts, strict=True))


def test_a_broken_file_of_own_instruments_hides_its_symbols_alone(tmp_path: Path) -> None:
    desk, own = WindowDesk(load_settings()), tmp_path / "own.yaml"
    own.write_text("instruments:\n  EURUSD: {tick: 0.000001}\n", encoding="utf-8")
    desk.use_instruments(str(own))
    assert desk.candles(sample(desk)).instrument.tick == Decimal("0.000001")
    own.write_text("instruments: [", encoding="utf-8")
    with pytest.raises(DataError, match="this is not YAML"):
        desk.instruments()
    assert desk.candles(sample(desk)).instrument.tick == Decimal("0.00001")
    with pytest.raises(DataError, match="this is not YAML"):
        desk.candles(Series("US30", "1h", str(tmp_path / "US30_1h_x.parquet")))


def test_a_file_that_was_good_as_one_thing_is_not_taken_for_good_as_another(desk: WindowDesk, finished: Finished, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("instruments:\n  EURUSD: {lot: 1000}\n", encoding="utf-8")
    desk.backtest(replace(finished.recipe, instruments=str(own)), finished.text)
    with pytest.raises(DataError, match="is not a"):
        desk.backtest(replace(finished.recipe, financing=str(own)), finished.text)


def test_a_side_of_own_instruments_is_read_as_they_say(tmp_path: Path) -> None:
    settings, path = load_settings(), tmp_path / "own.yaml"
    path.write_text("instruments:\n  US30: {base: US30, quote: USD, tick: 0.25, pip: 1, step: 0.1, lot: 1}\n", encoding="utf-8")
    known = compose_data.known_instruments(str(path))
    bid = replace(hourly(range(60)), instrument=known["US30"])
    catalogue = CandleCatalogue(settings.candles, known)
    for candles in (bid, mid_of(bid, 40)):
        catalogue.keep(candles)
    desk = WindowDesk(settings)
    asked = [Series("US30", "1h", source="catalogue", side=side) for side in ("", "bid", "mid")]
    with pytest.raises(DataError, match="US30"):
        desk.candles(asked[2])
    desk.use_instruments(str(path))
    read = [desk.candles(series) for series in asked]
    assert [int(candles.prices.close[0] - bid.prices.close[0]) for candles in read] == [0, 0, 40]
    assert {candles.instrument for candles in read} == {known["US30"]}
    for side in ("bid", "mid"):
        catalogue.remove("US30", "1h", side)


def test_a_database_that_is_away_hides_nothing_and_is_not_asked_at_every_look(caplog: pytest.LogCaptureFixture) -> None:
    desk = WindowDesk(replace(load_settings(), database_url="postgresql://127.0.0.1:1/none"))
    for _ in range(2):
        assert any(item.key.endswith(".parquet") for item in desk.items())
    assert len([record for record in caplog.records if "what the database holds" in record.message]) == 1


def test_what_if_is_the_run_of_the_other_text(desk: WindowDesk, finished: Finished) -> None:
    other = finished.text.replace("stop_loss: 0.02 ", "stop_loss: 0.004 ").replace("fast_period: 20", "fast_period: 10")
    assert other != finished.text
    guessed = desk.what_if(finished, other)
    run = desk.backtest(finished.recipe, other).result
    assert guessed.outcome.trades.tobytes() == run.outcome.trades.tobytes() != finished.result.outcome.trades.tobytes()


def test_what_if_begins_with_the_parameters_that_the_run_was_given(desk: WindowDesk, finished: Finished) -> None:
    recipe = replace(finished.recipe, params=("fast_period=5",))
    done = desk.backtest(recipe, finished.text)
    text = desk.examine_run(done)
    assert text.value(("parameters", "fast_period")) == Decimal(5)
    assert desk.what_if(done, text.text).outcome.trades.tobytes() == done.result.outcome.trades.tobytes()
    moved, run = (each.replace("stop_loss: 0.02 ", "stop_loss: 0.004 ") for each in (text.text, finished.text))
    trades = desk.what_if(done, moved).outcome.trades.tobytes()
    assert trades == desk.backtest(recipe, run).result.outcome.trades.tobytes() != done.result.outcome.trades.tobytes()


def test_what_if_prepares_no_candles_again(desk: WindowDesk, finished: Finished, tmp_path: Path) -> None:
    """Of two symbols, whose finer candles are laid end to end: millions of them would take longer than the run."""
    other = tmp_path / "GBPUSD_1h_x.parquet"
    other.write_bytes(Path(sample(desk).path).read_bytes())
    recipe = replace(finished.recipe, data=(sample(desk).path, str(other)), resample="4h")
    text = re.sub(r"(stop_loss|take_profit): [0-9.]+", r"\1: 0.0008", finished.text)
    before, run = desk.backtest(recipe, finished.text), desk.backtest(recipe, text).result
    guessed = desk.what_if(before, text)
    assert guessed.job.tape is before.result.job.tape
    assert guessed.outcome.trades.tobytes() == run.outcome.trades.tobytes() != before.result.outcome.trades.tobytes()
    assert guessed.band == run.band
    assert run.band.resolved_trades > 0


def test_a_stop_that_is_moved_leaves_what_the_rules_said_and_another_rule_does_not(desk: WindowDesk, finished: Finished) -> None:
    moved = desk.what_if(finished, finished.text.replace("stop_loss: 0.02 ", "stop_loss: 0.004 "))
    assert moved.hits is finished.result.hits
    text = finished.text.replace("crossover_type: death_cross", "crossover_type: golden_cross")
    for other in (text, finished.text.replace("fast_period: 20", "fast_period: 10")):
        guessed, run = desk.what_if(finished, other), desk.backtest(finished.recipe, other).result
        assert [table.tobytes() for hits in guessed.hits for table in (hits.entries, hits.exits)] == [
            table.tobytes() for hits in run.hits for table in (hits.entries, hits.exits)
        ]
        assert guessed.outcome.trades.tobytes() == run.outcome.trades.tobytes()


def test_a_text_is_examined_once_until_a_component_changes(desk: WindowDesk, finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    first = desk.examine(finished.text)
    assert desk.examine(finished.text) is first
    with monkeypatch.context() as patch:
        patch.setattr("sptrader_desktop.adapters.yaml_strategy.read_tree", lambda _: pytest.fail("it was read already"))
        desk.what_if(finished, finished.text.replace("stop_loss: 0.02 ", "stop_loss: 0.004 "))
    beside = desk.home_of(Kind.SIGNAL) / "newly_there.py"
    beside.write_text("METADATA = {}\n", encoding="utf-8")
    assert desk.examine(finished.text) is not first
    beside.unlink()


def test_what_if_tells_every_problem_of_a_text(desk: WindowDesk, finished: Finished) -> None:
    with pytest.raises(StrategyError, match="fast_perio"):
        desk.what_if(finished, finished.text.replace("parameters.fast_period", "parameters.fast_perio"))


def test_candles_are_read_again_only_when_their_file_has_changed(
    desk: WindowDesk, finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / Path(sample(desk).path).name
    data.write_bytes(Path(sample(desk).path).read_bytes())
    read: list[Recipe] = []
    really = compose_candles.recipe_candles

    def reading(recipe: Recipe, settings: Settings) -> compose_candles.CandleSets:
        read.append(recipe)
        return really(recipe, settings)

    monkeypatch.setattr("sptrader_desktop.app.desk.recipe_candles", reading)
    recipe = replace(finished.recipe, data=(str(data),))
    again = [desk.backtest(asked, finished.text) for asked in (recipe, replace(recipe, capital="5000"))]
    assert len(read) == 1
    assert again[0].result.request.traded[0] is again[1].result.request.traded[0]
    desk.backtest(replace(recipe, start="2024-03-01"), finished.text)
    assert len(read) == 2
    data.write_bytes(data.read_bytes() + b"")
    desk.backtest(recipe, finished.text)
    assert len(read) == 3


@pytest.mark.parametrize("resample", ["", "2h"])
def test_a_run_on_a_server_is_stale_when_a_file_of_this_computer_is_another_and_the_server_is_not_asked(
    desk: WindowDesk, finished: Finished, tmp_path: Path, resample: str
) -> None:
    """Rates, finer candles and instruments; changed, put back and gone."""
    files = {
        "rates": (parquet(tmp_path / "GBPUSD_1h_rates.parquet", bars(300, 1.25)), bars(300, 1.26)),
        "finer candles": (parquet(tmp_path / "EURUSD_1m_finer.parquet", long_bars(3_000)), long_bars(3_001)),
    }
    instruments, financing = tmp_path / "own.yaml", tmp_path / "financing.yaml"
    instruments.write_text("instruments:\n  EURUSD: {lot: 1000}\n", encoding="utf-8")
    financing.write_text("EURUSD: {long: 0.01, short: 0.01}\n", encoding="utf-8")
    with serving(Shop(candle_rows(300), 1_000)) as server:
        server_desk = WindowDesk(replace(load_settings(), market_data=server.url))
        named: dict[str, Any] = {"source": "http", "symbols": ("EURUSD",), "timeframe": "1h", "resample": resample, "currency": "GBP"}
        local: dict[str, Any] = {"rates": (str(files["rates"][0]),), "finer": (str(files["finer candles"][0]),)}
        recipe = Recipe(finished.recipe.strategy, **named, **local, instruments=str(instruments), financing=str(financing))
        done, asked = server_desk.backtest(recipe, finished.text), len(server.asked)
        assert server_desk.changed_since(done) == ""
        for what, (path, columns) in files.items():
            before = path.read_bytes()
            parquet(path, columns)
            assert server_desk.changed_since(done).startswith(f"{what} of ")
            path.unlink()
            assert server_desk.changed_since(done) == "its candles cannot be read any more"
            path.write_bytes(before)
        for path in (instruments, financing):
            before = path.read_bytes()
            path.write_text(path.read_text().replace("1000", "500").replace("0.01,", "0.02,"), encoding="utf-8")
            assert server_desk.changed_since(done).startswith("instruments")
            path.write_bytes(before)
        assert server_desk.changed_since(done) == ""
        assert len(server.asked) == asked


def test_the_curves_are_those_that_the_signals_saw(desk: WindowDesk, finished: Finished) -> None:
    curves = {(curve.indicator, curve.params): curve for curve in desk.curves(finished.result, "EURUSD")}
    assert set(curves) == {("sma", "20"), ("sma", "50")}
    assert all(curve.is_price for curve in curves.values())
    candles = finished.result.request.traded[0]
    close = candles.prices.close * float(candles.instrument.tick)
    fast = curves["sma", "20"].values
    assert np.isnan(fast[:19]).all()
    assert np.allclose(fast[19:], np.convolve(close, np.ones(20) / 20, "valid"), rtol=1e-12)


@pytest.mark.parametrize(("name", "indicator", "on_candles"), [("rsi_pullback", "rsi", False), ("turtle_breakout", "donchian", True)])
def test_a_curve_lies_on_the_candles_when_its_values_are_prices(desk: WindowDesk, name: str, indicator: str, on_candles: bool) -> None:
    path = next(path for path in desk.strategies() if path.stem == name)
    done = desk.backtest(Recipe(str(path), data=(sample(desk).path,)), path.read_text())
    named = {curve.indicator: curve.is_price for curve in desk.curves(done.result, "EURUSD")}
    assert named[indicator] is on_candles


def test_a_bar_is_explained_from_the_run_at_hand(desk: WindowDesk, finished: Finished) -> None:
    entry = int(finished.result.outcome.trades["entry_time"][0])
    assert desk.explain(finished.result, "EURUSD", entry).fills[0].price == finished.result.outcome.trades["entry_price"][0]
