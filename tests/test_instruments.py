"""The catalogue of instruments holds what it promises, and a person's own file changes it or is refused whole."""

from decimal import Decimal
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.adapters.instrument_files import load_financing, load_instruments
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE

MAJORS = ("EUR", "GBP", "AUD", "NZD", "USD", "CAD", "CHF", "JPY")  # in the market's order: the earlier one is the base
US30 = "{base: US30, quote: USD, tick: 0.1, pip: 1, step: 0.1, lot: 1, long_rate: -0.02, short_rate: -0.01, charged_every_day: false}"


def written(folder: Path, text: str) -> Path:
    path = folder / "instruments.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refusals(path: Path) -> list[str]:
    """The lines of the refusal without the file's name."""
    with pytest.raises(DataError) as caught:
        load_instruments(path)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{path}:") for line in lines)
    return [line.removeprefix(f"{path}:") for line in lines]


# The catalogue


def test_the_catalogue_holds_all_28_pairs_of_the_majors() -> None:
    pairs = {base + quote for base, quote in combinations(MAJORS, 2)}
    assert len(pairs) == 28
    assert pairs - CATALOGUE.keys() == set()
    assert {quote + base for base, quote in combinations(MAJORS, 2)} & CATALOGUE.keys() == set()


def test_every_instrument_has_whole_numbers_of_everything() -> None:
    for symbol, each in CATALOGUE.items():
        assert each.symbol == symbol == each.base + each.quote
        assert (each.base.isupper(), len(each.base), len(each.quote)) == (True, 3, 3)
        assert each.unit_value >= 1
        assert each.steps_per_lot * each.step == each.lot
        assert each.ticks_per_pip * each.tick == each.pip
        assert each.ticks_per_one * each.tick == 1
        assert Decimal(each.unit_value) == each.tick * each.step * 10**8


def test_units_are_the_markets() -> None:
    assert (CATALOGUE["EURUSD"].unit_value, CATALOGUE["EURUSD"].steps_per_lot, CATALOGUE["EURUSD"].ticks_per_pip) == (1_000, 100_000, 10)
    assert (CATALOGUE["USDJPY"].unit_value, CATALOGUE["USDJPY"].pip) == (100_000, Decimal("0.01"))
    assert {symbol for symbol, each in CATALOGUE.items() if each.pip == Decimal("0.01")} >= {"EURJPY", "CHFJPY", "USDHUF"}
    assert (CATALOGUE["XAUUSD"].unit_value, CATALOGUE["XAUUSD"].step, CATALOGUE["XAUUSD"].lot) == (10_000, Decimal("0.01"), Decimal(100))
    assert (CATALOGUE["BTCUSD"].unit_value, CATALOGUE["BTCUSD"].step) == (100, Decimal("0.0001"))


def test_every_currency_of_the_catalogue_reaches_the_dollar() -> None:
    direct = {frozenset((each.base, each.quote)) for each in CATALOGUE.values()}
    currencies = {each.base for each in CATALOGUE.values()} | {each.quote for each in CATALOGUE.values()}
    assert {each for each in currencies - {"USD"} if frozenset((each, "USD")) not in direct} == set()


def test_the_catalogue_charges_nothing_and_only_bitcoin_every_day() -> None:
    assert {(each.long_rate, each.short_rate) for each in CATALOGUE.values()} == {(Decimal(0), Decimal(0))}
    assert [symbol for symbol, each in CATALOGUE.items() if each.charged_every_day] == ["BTCUSD"]


# A person's instruments


def test_a_new_instrument_joins_the_catalogue(tmp_path: Path) -> None:
    merged = load_instruments(written(tmp_path, f"instruments:\n  US30: {US30}\n"))
    assert merged.keys() == CATALOGUE.keys() | {"US30"}
    us30 = merged["US30"]
    assert (us30.symbol, us30.base, us30.quote, us30.charged_every_day) == ("US30", "US30", "USD", False)
    assert (us30.tick, us30.pip, us30.step, us30.lot) == (Decimal("0.1"), Decimal(1), Decimal("0.1"), Decimal(1))
    assert (us30.long_rate, us30.short_rate) == (Decimal("-0.02"), Decimal("-0.01"))
    assert (us30.unit_value, us30.steps_per_lot, us30.ticks_per_pip, us30.ticks_per_one) == (1_000_000, 10, 10, 10)
    assert merged["EURUSD"] is CATALOGUE["EURUSD"]


def test_a_known_symbol_changes_only_in_what_is_named(tmp_path: Path) -> None:
    text = "instruments:\n  EURUSD: {long_rate: -0.025}\n  GBPUSD: {tick: 0.000001}\n  BTCUSD: {charged_every_day: false}\n"
    merged = load_instruments(written(tmp_path, text))
    assert merged["EURUSD"].long_rate == Decimal("-0.025")
    assert (merged["EURUSD"].tick, merged["EURUSD"].short_rate) == (Decimal("0.00001"), Decimal(0))
    assert merged["GBPUSD"].ticks_per_pip == 100
    assert merged["BTCUSD"].charged_every_day is False
    assert CATALOGUE["EURUSD"].long_rate == 0


@given(st.decimals(min_value=-1, max_value=1, places=8))
def test_rates_are_read_exactly(tmp_path_factory: pytest.TempPathFactory, rate: Decimal) -> None:
    path = written(tmp_path_factory.getbasetemp(), f"instruments: {{EURUSD: {{long_rate: {rate:f}, short_rate: '{rate:E}'}}}}")
    assert (load_instruments(path)["EURUSD"].long_rate, load_instruments(path)["EURUSD"].short_rate) == (rate, rate)


def test_all_problems_come_at_once_with_line_and_column(tmp_path: Path) -> None:
    text = """\
instruments:
  US30: {base: us, quote: US, tick: 0, pip: x, step: -1, lot: .inf}
  EURUDS: {long_rate: 0.01}
  EURUSD: {long_rate: -2.5, short_rate: 0.123456789, tik: 0.1, charged_every_day: no}
  EURUSD: {long_rate: 0}
  eurgbp: [1]
extra: 1
"""
    size = "must be a number above zero, from 0.00000001 to 1000000000"
    assert refusals(written(tmp_path, text)) == [
        "2:16: US30.base = us: must be 2 to 12 capital letters or digits",
        "2:27: US30.quote = US: must be a currency of 3 to 5 capital letters, such as USD",
        f"2:37: US30.tick = 0: {size}",
        f"2:45: US30.pip = x: {size}",
        f"2:54: US30.step = -1: {size}",
        f"2:63: US30.lot = .inf: {size}",
        "3:3: EURUDS: is a new symbol and needs base, quote, tick, pip, step, lot too; did you mean 'EURUSD'?",
        "4:23: EURUSD.long_rate = -2.5: must be a fraction a year from -1 to 1, such as -0.025 for 2.5 % paid",
        "4:41: EURUSD.short_rate = 0.123456789: must have at most eight decimals",
        f"4:54: EURUSD.tik: is not a key; the keys are {', '.join(KEYS)}; did you mean 'tick'?",
        "4:83: EURUSD.charged_every_day = no: must be true or false",
        "5:3: instruments.EURUSD: is given twice, first in line 4; keep one",
        "6:3: eurgbp: a symbol is 2 to 16 capital letters, digits and dots",
        "6:11: eurgbp: must be a mapping of names to values",
        "7:1: extra: is not a key of this file; put symbols under 'instruments'",
    ]


KEYS = ("base", "quote", "tick", "pip", "step", "lot", "long_rate", "short_rate", "charged_every_day")


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ("tick: 0.3, pip: 3, step: 1, lot: 1", "tick 0.3 must divide 1 without rest, as 0.1, 0.25 or 0.00001 do"),
        ("tick: 5, pip: 5, step: 1, lot: 1", "tick 5 must divide 1 without rest, as 0.1, 0.25 or 0.00001 do"),
        ("tick: 0.1, pip: 0.25, step: 1, lot: 1", "pip 0.25 must be a whole number of ticks of 0.1"),
        ("tick: 0.1, pip: 0.01, step: 1, lot: 1", "pip 0.01 must be a whole number of ticks of 0.1"),
        ("tick: 0.1, pip: 1, step: 0.4, lot: 1", "lot 1 must be a whole number of steps of 0.4"),
        ("tick: 0.00001, pip: 1, step: 0.0001, lot: 1", "tick 0.00001 times step 0.0001 must be a whole number of 0.00000001"),
    ],
)
def test_units_that_do_not_fit_each_other_are_refused(tmp_path: Path, values: str, rule: str) -> None:
    path = written(tmp_path, f"instruments:\n  X1: {{base: X1, quote: USD, {values}}}\n")
    assert refusals(path) == [f"2:3: X1: {rule}"]


def test_what_is_no_instruments_file_is_refused(tmp_path: Path) -> None:
    assert refusals(written(tmp_path, "")) == [" it is empty: describe at least one symbol"]
    no_mapping = ["1:1: file: must be a mapping of names to values", "1:1: file: has no 'instruments'; put symbols under it"]
    assert refusals(written(tmp_path, "- 1\n")) == no_mapping
    assert "this is not YAML (" in refusals(written(tmp_path, "instruments: {a: 1\n"))[0]
    assert "it is nested too deeply" in refusals(written(tmp_path, "{a: " * 3_000))[0]
    assert "it cannot be read" in refusals(written(tmp_path, "a: \0"))[0]
    assert refusals(written(tmp_path, "instruments:")) == ["1:13: instruments: must be a mapping of names to values"]
    assert "it is larger than 65536 bytes: split it" in refusals(written(tmp_path, "#" * 70_000))[0]
    assert "there is no such file" in refusals(tmp_path / "none.yaml")[0]
    (tmp_path / "latin.yaml").write_bytes(b"instruments: {\xff: 1}")
    assert "it is not UTF-8" in refusals(tmp_path / "latin.yaml")[0]


# Financing


def test_a_financing_file_changes_rates_and_nothing_else(tmp_path: Path) -> None:
    custom = load_instruments(written(tmp_path, f"instruments: {{US30: {US30}}}"))
    rates = load_financing(written(tmp_path, "EURUSD: {long: -0.025, short: 0.01}\nUS30: {long: 0, short: -5e-2}\n"), custom)
    assert (rates["EURUSD"].long_rate, rates["EURUSD"].short_rate) == (Decimal("-0.025"), Decimal("0.01"))
    assert (rates["US30"].long_rate, rates["US30"].short_rate, rates["US30"].tick) == (Decimal(0), Decimal("-0.05"), Decimal("0.1"))
    assert rates["GBPUSD"] is CATALOGUE["GBPUSD"]


def test_financing_of_unknown_symbols_or_one_side_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "EURUDS: {long: 0, short: 0}\nEURUSD: {long: 0}\nGBPUSD: {long: 0, short: 3, swap: 1}\n")
    with pytest.raises(DataError) as caught:
        load_financing(path)
    assert [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()] == [
        "1:1: EURUDS: is not a known symbol; define it in an instruments file; did you mean 'EURUSD'?",
        "2:1: EURUSD: needs short too; write 0 for a side without financing",
        "3:26: GBPUSD.short = 3: must be a fraction a year from -1 to 1, such as -0.025 for 2.5 % paid",
        "3:29: GBPUSD.swap: is not a key; the keys are long, short",
    ]
