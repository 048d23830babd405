"""From a vendor's file to a verified backtest on the command line, and nothing overwritten on the way."""

from datetime import UTC
from pathlib import Path

import pytest

from sptrader_desktop.adapters.catalogue_candles import CandleCatalogue
from sptrader_desktop.adapters.csv_import_layouts import LAYOUTS as KNOWN
from sptrader_desktop.cli.data_import import LAYOUTS
from sptrader_desktop.ports import CandleRequest
from tests import vendor_files
from tests.command_line import SAMPLE, STRATEGY, document, refused, sptrader
from tests.vendor_files import SPRING, market, written

ASKED = CandleRequest("EURUSD", "1h")
HOURS = ("--source", "catalogue", "--symbol", "EURUSD", "--timeframe", "1h")


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPTRADER_CANDLES", str(tmp_path / "candles"))
    monkeypatch.setenv("SPTRADER_RUNS", str(tmp_path / "runs"))
    return tmp_path


def dukascopy(folder: Path, weeks: int = 8, name: str = "EURUSD.csv") -> Path:
    return written(folder, vendor_files.dukascopy(market(SPRING, weeks), UTC), name)


def test_what_is_recognised_is_shown_and_only_then_kept(tmp_path: Path) -> None:
    path = dukascopy(tmp_path)
    shown = sptrader("data", "import", path, "--dry-run")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.splitlines()[0] == str(path)
    assert "layout   dukascopy: commas between columns, a header, dates and times, day-first" in shown.out
    assert "clock    UTC, as the file says; 9 of 9 weekends fit the market's hours" in shown.out
    assert shown.out.endswith("nothing was kept, as told\n")
    assert sptrader("data", "list").out == f"The catalogue in {tmp_path / 'candles'} is empty: `sptrader data import FILE` fills it.\n"
    assert sptrader("data", "import", path).out.endswith(f"kept in {tmp_path / 'candles'}\n")
    assert sptrader("data", "list").out == "EURUSD     1h  bid                   961 bars  2024-02-25 22:00 to 2024-04-21 21:00 UTC\n"


def test_a_backtest_of_the_catalogue_is_the_one_of_the_same_candles_in_a_file(tmp_path: Path) -> None:
    out = tmp_path / "EURUSD_1h_mine.parquet"
    assert sptrader("data", "import", dukascopy(tmp_path), "--out", out).code == 0
    assert sptrader("data", "import", dukascopy(tmp_path)).code == 0
    by_file, by_source = document(STRATEGY, "--data", out), document(STRATEGY, *HOURS)
    assert by_file["manifest"]["data"][0].pop("file") == out.name
    assert by_source["manifest"]["data"][0].pop("file") == "catalogue EURUSD 1h bid"
    assert by_file == by_source
    assert by_file["total_trades"] > 0
    part = document(STRATEGY, *HOURS, "--from", "2024-03-04", "--to", "2024-03-08")
    assert part["manifest"]["data"][0]["rows"] == 96


def test_a_kept_run_of_the_catalogue_is_verified_and_explained_until_the_data_changes(tmp_path: Path) -> None:
    sptrader("data", "import", dukascopy(tmp_path))
    assert sptrader("backtest", STRATEGY, *HOURS).code == 0
    assert sptrader("verify", "latest").out == "r0001-ma_crossover: the same to the byte\n"
    assert "2024-03-14" in sptrader("explain", "latest", "--at", "2024-03-14T10:00Z").out
    path = dukascopy(tmp_path, weeks=9)
    sptrader("data", "import", path)
    assert sptrader("verify", "latest").out == "r0001-ma_crossover: the same to the byte\n", "what came since is not its own"
    text = path.read_text()
    bar = next(line for line in text.splitlines() if line.startswith("05.03.2024 10:00"))
    path.write_text(text.replace(bar, ",".join([bar.split(",")[0], "1.1", "1.2", "1.0", "1.1", "5"])))
    assert sptrader("data", "import", path, "--replace").code == 0
    changed = sptrader("verify", "latest")
    assert changed.code == 1
    said = "candles of EURUSD 1h (catalogue EURUSD 1h bid) were changed: 961 bars then, 1,081 now"
    assert changed.err.startswith(f"{said}\n")
    assert said in refused("explain", "latest", "--at", "2024-03-14T10:00Z")


def test_bars_of_the_catalogue_are_replaced_only_when_told(tmp_path: Path) -> None:
    path, store = dukascopy(tmp_path), CandleCatalogue(tmp_path / "candles")
    sptrader("data", "import", path)
    sptrader("data", "import", path)
    before = store.candles(ASKED).fingerprint
    text = path.read_text()
    bar = next(line for line in text.splitlines() if line.startswith("05.03.2024 10:00"))
    path.write_text(text.replace(bar, ",".join([bar.split(",")[0], "1.1", "1.2", "1.0", "1.1", "5"])))
    said = sptrader("data", "import", path)
    assert said.code == 1
    assert said.err == (
        f"sptrader: {path}: 1 of its bars in 2024-03 differ from those the catalogue holds, first that of 2024-03-05T10:00:00Z: "
        "--replace lets them take their place\n"
    )
    assert store.candles(ASKED).fingerprint == before
    assert sptrader("data", "import", path, "--replace").code == 0
    assert store.candles(ASKED).fingerprint != before


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    out = tmp_path / "EURUSD_1h.parquet"
    out.write_bytes(b"mine")
    path = dukascopy(tmp_path)
    assert refused("data", "import", path, "--out", out) == f"{out}: this file is there already: choose another name, or move it away"
    assert sptrader("data", "import", path, "--out", tmp_path).code == 0
    named = tmp_path / "EURUSD_1h_2024-02-25_2024-04-21_bid.parquet"
    assert named.is_file()
    assert "this file is there already" in sptrader("data", "import", path, "--out", tmp_path).err
    assert out.read_bytes() == b"mine"
    assert "several files go into a folder that exists" in refused("data", "import", path, path, "--out", tmp_path / "new.parquet")


def test_a_refused_file_keeps_nothing_and_says_one_line(tmp_path: Path) -> None:
    path = written(tmp_path, vendor_files.metatrader_4(market(SPRING), vendor_files.NEW_YORK).replace("1.1", "1;1", 1))
    assert "line 1: " in refused("data", "import", path)
    assert not (tmp_path / "candles").exists()
    assert refused("data", "import", tmp_path / "none.csv").endswith("it cannot be read (No such file or directory): check the path")
    assert sptrader("data", "import", path, "--layout", "bloomberg").code == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (HOURS, "it holds no 1h candles of EURUSD (it holds nothing yet): import them with `sptrader data import`"),
        (HOURS[:2], "--source catalogue: say which candles with --symbol S and --timeframe T"),
        ((*HOURS[:2], "--symbol", "EURUSD", "EURUSD", "--timeframe", "1h"), "a symbol is given twice"),
        ((*HOURS, "--ask", "a.parquet"), "the candles of --source bring their own ask prices"),
        (("--data", SAMPLE, "--symbol", "EURUSD", "GBPUSD"), "only --source takes several"),
    ],
)
def test_a_source_that_cannot_serve_is_refused_before_the_engine(arguments: tuple[str | Path, ...], words: str) -> None:
    assert words in refused("backtest", STRATEGY, *arguments)


def test_files_or_a_source_and_not_both() -> None:
    assert sptrader("backtest", STRATEGY, "--data", SAMPLE, *HOURS).code == 2
    assert sptrader("backtest", STRATEGY, "--source", "elsewhere").code == 2


def test_two_symbols_of_one_source_share_the_account(tmp_path: Path) -> None:
    sptrader("data", "import", dukascopy(tmp_path))
    sptrader("data", "import", dukascopy(tmp_path, name="GBPUSD.csv"))
    both = document(STRATEGY, "--source", "catalogue", "--symbol", "GBPUSD", "EURUSD", "--timeframe", "1h")
    assert [data["symbol"] for data in both["manifest"]["data"]] == ["GBPUSD", "EURUSD"]
    assert {trade["symbol"] for trade in both["completed_trades"]} == {"GBPUSD", "EURUSD"}


def test_the_words_of_the_command_are_those_of_the_import() -> None:
    assert set(LAYOUTS) == set(KNOWN)
