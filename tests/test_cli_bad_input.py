"""Whatever is handed to the command, it ends with 0, 1 or 2 and a sentence: never with a traceback, never with a result of bad input."""

import random
import re
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.candle_builders import Columns, bars, csv, parquet
from tests.candle_walks import walk
from tests.command_line import ROOT, SAMPLE, STRATEGIES, STRATEGY, Said, refused, sptrader

# What to do is said with one of these words.
NEXT_STEP = re.compile(
    r"\b(mend|remove|fill|check|give|name|sort|fetch|export|store|write|add|ask for|define|divide|end it|save|round|use|put|keep)\b"
)


@pytest.fixture(autouse=True)
def runs(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("store") / "runs"
    monkeypatch.setenv("SPTRADER_RUNS", str(folder))
    return folder


# Candles


def cell(column: str, value: Any) -> Callable[[Columns], None]:
    def spoil(columns: Columns) -> None:
        columns[column][2] = value

    return spoil


def earlier(hours: float) -> Callable[[Columns], None]:
    def spoil(columns: Columns) -> None:
        columns["timestamp"][2] -= timedelta(hours=hours)

    return spoil


BAD_ROWS = {
    "no number": cell("close", float("nan")),
    "high below low": cell("high", 1.0),
    "low above open": cell("low", 1.2),
    "zero": cell("low", 0.0),
    "negative": cell("open", -1.1),
    "infinite": cell("high", 1e300),
    "between ticks": cell("close", 1.1000051),
    "duplicate stamp": earlier(1),
    "unordered stamps": earlier(1.5),
    "overlapping bars": earlier(0.5),
}
WRITERS: dict[str, Callable[[Path, Columns], Path]] = {"parquet": parquet, "csv": csv}


def assert_refused(runs: Path, path: Path, *more: str | Path, row: bool = False, named: bool = True) -> str:
    said = refused("backtest", STRATEGY, "--data", path, *more)
    assert NEXT_STEP.search(said), said
    assert not named or str(path) in said
    assert not row or ": row 3" in said
    assert not runs.exists()
    return said


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("defect", BAD_ROWS)
def test_a_bad_row_is_refused_by_file_row_and_next_step(tmp_path: Path, runs: Path, defect: str, kind: str) -> None:
    columns = bars(60)
    BAD_ROWS[defect](columns)
    assert_refused(runs, WRITERS[kind](tmp_path / f"EURUSD_1h_bad.{kind}", columns), row=True)


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("option", ["--ask", "--rates", "--finer"])
def test_every_other_candle_file_is_held_to_the_same(tmp_path: Path, runs: Path, option: str, kind: str) -> None:
    columns = bars(60)
    BAD_ROWS["negative"](columns)
    bad = WRITERS[kind](tmp_path / f"EURUSD_{'30m' if option == '--finer' else '1h'}_bad.{kind}", columns)
    good = parquet(tmp_path / "EURUSD_1h_good.parquet", bars(60))
    said = assert_refused(runs, good, option, bad, named=False)
    assert f"{bad}: row 3" in said


@pytest.mark.parametrize("kind", WRITERS)
def test_a_file_that_is_missing_empty_cut_or_wrong_is_refused(tmp_path: Path, runs: Path, kind: str) -> None:
    path = tmp_path / f"EURUSD_1h.{kind}"
    assert_refused(runs, path)
    path.write_bytes(b"")
    assert_refused(runs, path)
    columns = bars(60)
    del columns["low"]
    WRITERS[kind](path, columns)
    assert "low missing" in assert_refused(runs, path)
    content = WRITERS[kind](path, bars(60)).read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    assert_refused(runs, path)
    path.unlink()
    path.mkdir()
    assert_refused(runs, path)


def test_times_without_a_zone_are_refused(tmp_path: Path, runs: Path) -> None:
    naive = {**bars(60), "timestamp": [stamp.replace(tzinfo=None) for stamp in bars(60)["timestamp"]]}
    assert "have no time zone" in assert_refused(runs, parquet(tmp_path / "EURUSD_1h.parquet", naive, stamps=pa.timestamp("us")))
    assert "row 1: " in assert_refused(runs, csv(tmp_path / "EURUSD_1h.csv", naive))


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("EURUZD_1h.parquet", (), "'EURUZD' is not a known symbol: did you mean EURUSD?"),
        ("EURUSD_7x.parquet", (), "does not say the timeframe"),
        ("EURUSD_tick.parquet", (), "its name says ticks, not candles"),
        ("EURUSD_1h.xlsx", (), "candles come in .parquet or .csv files"),
        ("EURUSD_1h.parquet", ("--from", "2031-01-01"), "no bar opens from 2031-01-01T00:00:00Z: it holds 2024-01-02T17:00:00Z"),
        ("EURUSD_1h.parquet", ("--to", "2001-01-01"), "no bar opens to 2001-01-01T00:00:00Z"),
        ("EURUSD_4h.parquet", (), "it opens inside the 4h bar"),
        ("USDJPY_1h.parquet", (), "is not a multiple of the tick 0.001 of USDJPY"),
    ],
)
def test_a_file_that_is_not_what_was_asked_for_is_refused(
    tmp_path: Path, runs: Path, name: str, options: tuple[str, ...], words: str
) -> None:
    path = tmp_path / name
    shutil.copyfile(parquet(tmp_path / "made.parquet", bars(60)), path)
    assert words in assert_refused(runs, path, *options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--currency", "GBP"), "no rate from USD to GBP: add candles of USDGBP or GBPUSD"),
        (("--currency", "usd"), "--currency usd: give three capital letters"),
        (("--capital", "0"), "--capital 0: give an amount above zero"),
        (("--capital", "1.000000001"), "with at most eight decimals"),
        (("--capital", "10000.00000000000000000000000000000001"), "at most 28 digits"),
        (("--capital", "1e9999999999"), "at most 28 digits"),
        (("--capital", "nan"), "--capital nan: that is not a number"),
        (("--leverage", "0.5"), "--leverage 0.5: give a number from 1 to 5000"),
        (("--leverage", "30.001"), "with at most two decimals"),
        (("--spread", "-1"), "--spread -1: a cost is zero or more"),
        (("--spread", "0.05"), "a spread of 0.05 pips is not whole ticks of EURUSD: give a multiple of 0.1 pips"),
        (("--slippage", "1,5"), "--slippage 1,5: that is not a number"),
        (("--commission", "free"), "--commission free: that is not a number"),
        (("--commission", "3/lot,min=x"), "--commission x: that is not a number"),
        (("--from", "yesterday"), "--from yesterday: give a date like 2024-03-01"),
        (("--from", "0001-01-01T00:00+23:59"), "give a year from 1900 to 2200"),
        (("--to", "9999-12-31T23:59-23:59"), "give a year from 1900 to 2200"),
        (("--from", "2024-02-01", "--to", "2024-01-01"), "is empty: give a later end"),
        (("--param", "fast_period=1e999999"), "at most 28 digits"),
        (("--param", "fast_period=60"), "fast_period 60 must be below slow_period 50: shorten it"),
        (("--data", "~nobody knows/EURUSD_1h.parquet"), "there is no such file: check the path"),
        (("--instruments", "none.yaml"), "none.yaml: there is no such file: check the path"),
        (("--financing", "none.yaml"), "none.yaml: there is no such file: check the path"),
    ],
)
def test_a_value_that_cannot_be_exact_or_meant_is_refused(runs: Path, options: tuple[str, ...], words: str) -> None:
    said = refused("backtest", STRATEGY, "--data", SAMPLE, *options)
    assert words in said
    assert NEXT_STEP.search(said) or "must be" in said or "cost is" in said
    assert not runs.exists()


# Anything at all


def assert_sane(said: Said) -> None:
    assert said.code in (0, 1, 2), said
    assert "Traceback" not in said.err
    assert "defect of the program" not in said.err
    assert bool(said.err) is (said.code != 0), said
    assert said.code == 0 or said.out == ""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With crossings, so that money is counted: some values overflow only then."""
    found = walk(tmp_path_factory.mktemp("small"), "EURUSD", 100_000, 110_000, 4, bars=500)
    assert on_paper(found, "--json", "-").document["total_trades"] > 2
    return found


def on_paper(small: Path, *options: str | Path, strategy: Path = STRATEGY) -> Said:
    return sptrader("backtest", strategy, "--data", small, *options, "--no-store")


# What a shell can pass on: no null character, no half of one.
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
numbers = st.one_of(
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
    st.floats().map(repr),
    st.integers().map(str),
    st.sampled_from(
        ["1e400", "-0", "1_000", "٣", "0x10", "1/3", " 5 ", "+7", "9" * 50, "0." + "1" * 50, "1e-400", "", "5000", "0.00000001"]
    ),
)
times = st.one_of(
    st.datetimes().map(str), st.dates().map(str), st.sampled_from(["2024-W03", "20240104", "2024-01-04T00:00+14:00", "24:00", "2024-1-4"])
)
OPTIONS = {
    "--capital": numbers,
    "--leverage": numbers,
    "--spread": numbers,
    "--slippage": numbers,
    "--commission": st.one_of(numbers, st.tuples(numbers, st.sampled_from(["/lot", "%", ",min=1", "%,2/lot"])).map("".join)),
    "--currency": st.one_of(words, st.sampled_from(["USD", "EUR", "JPY", "XAU", "ÄÖÜ"])),
    "--from": times,
    "--to": times,
    "--symbol": st.one_of(words, st.sampled_from(["EURUSD", "XAUUSD", "BTCUSD"])),
    "--timeframe": st.one_of(words, st.sampled_from(["1h", "1m", "1d", "999999w", "0h"])),
    "--param": st.one_of(
        words, st.tuples(st.sampled_from(["fast_period", "slow_period", "position_size", "stop_loss", "x"]), numbers).map("=".join)
    ),
    "--fill": st.sampled_from(["close", "next_open", "both"]),
    "--data": words,
    "--ask": words,
    "--rates": words,
    "--finer": words,
    "--instruments": words,
    "--financing": words,
}
option = st.sampled_from(sorted(OPTIONS)).flatmap(lambda name: OPTIONS[name].map(lambda value: (name, value)))


chosen_options = st.lists(option, min_size=1, max_size=3)


@settings(max_examples=50)
@given(chosen_options)
@example([("--data", "~x/EURUSD_1h.csv")])
@example([("--capital", "NaN123")])
@example([("--capital", "0.00000001"), ("--commission", "9999999999/lot")])
@example([("--capital", "9999999999.99999999"), ("--commission", "9999999999%")])
def test_no_value_of_any_option_breaks_the_program(small: Path, chosen: list[tuple[str, str]]) -> None:
    assert_sane(on_paper(small, *(word for pair in chosen for word in pair)))


@pytest.mark.campaign
@settings(max_examples=2_000)
@given(chosen_options)
def test_none_of_many_values_breaks_it_either(small: Path, chosen: list[tuple[str, str]]) -> None:
    assert_sane(on_paper(small, *(word for pair in chosen for word in pair)))


@settings(max_examples=25)
@given(st.binary(max_size=300), st.sampled_from(["csv", "parquet", "yaml"]))
def test_no_bytes_break_the_program(tmp_path_factory: pytest.TempPathFactory, small: Path, content: bytes, kind: str) -> None:
    path = tmp_path_factory.getbasetemp() / f"EURUSD_1h_noise.{kind}"
    path.write_bytes(content)
    if kind == "yaml":
        assert_sane(sptrader("check", path))
        assert_sane(on_paper(small, "--instruments", path))
        assert_sane(on_paper(small, "--financing", path))
    else:
        assert sptrader("backtest", STRATEGY, "--data", path).code == 1
        assert_sane(on_paper(path))


@pytest.mark.parametrize("kind", WRITERS)
def test_a_file_cut_anywhere_gives_no_result(tmp_path: Path, kind: str) -> None:
    """A CSV file cut at the end of a line is a shorter file; every other cut is refused."""
    content = WRITERS[kind](tmp_path / f"EURUSD_1h_whole.{kind}", bars(60)).read_bytes()
    path = tmp_path / f"EURUSD_1h_cut.{kind}"
    chance = random.Random(3)
    for _ in range(25):
        length = chance.randrange(len(content))
        path.write_bytes(content[:length])
        said = on_paper(path)
        assert_sane(said)
        if said.code == 0:
            assert kind == "csv"
            assert is_whole(content[:length].decode())


def is_whole(text: str) -> bool:
    """The last line has all its cells and its prices hold together, so nobody could tell."""
    return text.splitlines()[-1].count(",") == 4


TEXTS = [path.read_text(encoding="utf-8") for path in sorted(STRATEGIES.glob("*.yaml"))]
PIECES = [
    "",
    ":",
    "- ",
    "{",
    "}",
    "[",
    "parameters.",
    "parameters.stop_loss",
    "1e999",
    ".nan",
    "-1",
    "0",
    "true",
    "null",
    "&a",
    "*a",
    "!!set",
    "\t",
    "'",
]


@st.composite
def edited_strategies(draw: st.DrawFn) -> str:
    """One to three pieces of a good file replaced by something else, doubled, or gone."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 3))):
        found = list(re.finditer(r"[\w.]+|[^\w\s]|\n", text))
        piece = draw(st.sampled_from(found)) if found else None
        if piece is None:
            break
        new = draw(
            st.one_of(st.sampled_from(PIECES), words, numbers, st.just(piece[0] * 2), st.sampled_from(found).map(lambda other: other[0]))
        )
        text = text[: piece.start()] + new + text[piece.end() :]
    return text


@settings(max_examples=40)
@given(edited_strategies())
def test_no_edit_of_a_strategy_breaks_the_program(tmp_path_factory: pytest.TempPathFactory, small: Path, text: str) -> None:
    assert_bears(tmp_path_factory, small, text)


@pytest.mark.campaign
@settings(max_examples=2_000)
@given(edited_strategies())
def test_none_of_many_edits_breaks_it_either(tmp_path_factory: pytest.TempPathFactory, small: Path, text: str) -> None:
    assert_bears(tmp_path_factory, small, text)


def assert_bears(tmp_path_factory: pytest.TempPathFactory, small: Path, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "edited.yaml"
    path.write_text(text, encoding="utf-8")
    checked = sptrader("check", path)
    assert_sane(checked)
    if checked.code == 1:
        lines = checked.err.splitlines()
        assert re.fullmatch(rf"sptrader: {len(lines) - 1} problems? in {re.escape(str(path))}", lines[-1])
        assert all(line.startswith(f"{path}:") for line in lines[:-1])
    else:
        assert_sane(on_paper(small, strategy=path))


@settings(max_examples=25)
@given(st.sampled_from(["explain", "verify"]), words, st.one_of(words, times))
def test_no_name_of_a_run_breaks_the_program(command: str, run: str, at: str) -> None:
    said = sptrader(command, run, *(["--at", at] if command == "explain" else []))
    assert_sane(said)
    assert said.code != 0 or run in ("-h", "--help")


def test_nothing_was_written_into_the_checkout_by_all_this() -> None:
    left = [path for pattern in ("*.tmp", "sptrader-defect-*") for path in ROOT.rglob(pattern) if ".venv" not in path.parts]
    assert [path for path in left if ".cache" not in path.parts] == []
