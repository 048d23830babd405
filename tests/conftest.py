"""Every session gets a home of its own and a clean environment before our code is imported: no test touches what is yours."""

import gc
import os
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

from benchmarks.screens import screens
from sptrader_desktop.runtime.kernel_cache import use_kernel_cache

ROOT = Path(__file__).resolve().parent.parent
HOME = tempfile.TemporaryDirectory(prefix="sptrader-tests-", ignore_cleanup_errors=True)

# What a person's shell may hold and a test must not hear: servers, and the variables through which components get their data.
PRIVATE = """
    REDIS_URL DATABASE_URL DATA_SOURCE TEST_DATASET LIVE_SYMBOL LIVE_TIMEFRAME LIVE_FROM LIVE_TO REALTIME_SYMBOL REALTIME_TIMEFRAME
    REALTIME_WINDOW CACHE_KEY CACHE_DIR COMPONENT_PARAMS INDICATORS RESULT_PATH PUBLISH_LIVE WS_MARKET_DATA_URL
    NUMBA_CACHE_DIR NUMBA_DISABLE_JIT
    PYTHONDONTWRITEBYTECODE
""".split()
ASKED_FOR = {"SPTRADER_REFERENCE", "SPTRADER_CAMPAIGN", "SPTRADER_SOAK_S", "SPTRADER_SIGNALS"}
# One of several processes of a session: what one of them finds honest, or computes, the others need not try again.
IS_ONE_OF_SEVERAL = "PYTEST_XDIST_WORKER" in os.environ

KERNELS = ROOT / ".cache" / "kernels"

# The longest come first, so that none is left alone at the end. After a change of a rule the first of them compiles for a minute; those
# after it need no rule, and keep the other processes busy meanwhile.
FIRST = """
    sweep honesty pool_misbehaviour data_sources host data_faults hostile_world candle_catalogue pool_trouble pool indicators
    download_dukascopy guardian sqlite_journal journal_disk servers signal_feed_servers postgres_candles data_page documents_in_editors
    signal_publisher guardian_link signal_feed live_orchestrators chart_moves chart_pixels theme single_instance
    live_simulation live_process every_command live_mending window_faults paper_broker next_start workspaces backtest_panel live_chaos
    signals full_disk explain every_button run_faults strategies live_page market_charts cli_bad_input window engine market_prices
    documents realtime_window live_flood closes live_program workstation wheel house live_protection_process guardian_paper
    reference_runs explain_conditions watchlist run_history other_sources cli
""".split()


def take_own_environment() -> None:
    home = Path(HOME.name)
    answers = os.environ["SPTRADER_COMPONENT_CACHE"] if IS_ONE_OF_SEVERAL else str(home / "components")
    private = PRIVATE if not IS_ONE_OF_SEVERAL else [name for name in PRIVATE if name != "NUMBA_CACHE_DIR"]
    for name in [*private, *(name for name in os.environ if name.startswith("SPTRADER_") and name not in ASKED_FOR)]:
        os.environ.pop(name, None)
    folders = {
        "XDG_CONFIG_HOME": "config",
        "XDG_DATA_HOME": "data",
        "XDG_STATE_HOME": "state",
        "XDG_CACHE_HOME": "cache",
        "XDG_RUNTIME_DIR": "runtime",
    }
    for variable, name in folders.items():
        (home / name).mkdir(mode=0o700)
        os.environ[variable] = str(home / name)
    os.environ |= {
        "HOME": str(home),
        "USERPROFILE": str(home),
        "SPTRADER_WORKSPACE": str(home / "workspace"),
        "SPTRADER_RUNS": str(home / "runs"),
        "SPTRADER_TEXTS": str(home / "texts"),
        "SPTRADER_CANDLES": str(home / "candles"),
        "SPTRADER_DOWNLOADS": str(home / "downloads"),
        "SPTRADER_COMPONENT_CACHE": answers,
        "SPTRADER_SERVERS": str(home / "servers"),
        "SPTRADER_LIVE": str(home / "live"),
        "SPTRADER_LOGS": str(home / "logs"),
        "SPTRADER_PREFERENCES": str(home / "preferences.json"),
        # Kept with the checkout, so that the rules are compiled once after a change and not once a session.
        "SPTRADER_KERNEL_CACHE": str(KERNELS),
        # No screen is needed, only its size; the tests that want a real one start their own.
        "QT_QPA_PLATFORM": screens(home / "screen.json", "screen", size=(1920, 1080)),
        "PYTEST_QT_API": "pyside6",
    }
    use_kernel_cache(KERNELS)
    sys.dont_write_bytecode = False  # tests are rewritten once after a change too, and programs that they start read what is compiled
    # What is started in the background of a shell script is deaf to Ctrl-C, and so would be every program that a test interrupts.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


take_own_environment()

# Fixtures of real servers, which start when a test asks for one.
from tests.servers import postgres, postgres_of_session, valkey, valkey_of_session  # noqa: E402, F401

# The same examples for everybody, and as long as they need: a test that fails here fails on every machine.
set_hypothesis_home_dir(ROOT / ".cache" / "hypothesis")
settings.register_profile("house", derandomize=True, deadline=None, database=None)
settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--windows-apart", action="store_true", help="each file of window tests as one test in a process of its own")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many tests ran in the files that are one test each."""
    told: Counter[str] = Counter()
    for report in terminalreporter.stats.get("passed", []):
        told.update(dict(report.user_properties) if report.when == "call" else {})
    if told:
        terminalreporter.write_line(f"in files of window tests, each counted as one: {told['passed']} passed, {told['skipped']} skipped")


def pytest_collection() -> None:
    gc.disable()  # thousands of tests are made, and none is garbage


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {f"test_{name}.py": place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(item.path.name, len(FIRST)))


@pytest.fixture(scope="session")
def reference() -> Path:
    """The reference data: candles and golden trade lists. Without it these tests skip, or fail where REQUIRE_REFERENCE=1."""
    folder = Path(os.environ.get("SPTRADER_REFERENCE", ROOT.parent / "shared"))
    if (folder / "golden").is_dir():
        return folder
    missing = f"the reference data is not in {folder} (no folder `golden`): set SPTRADER_REFERENCE to where it is"
    if os.environ.get("REQUIRE_REFERENCE") == "1":
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ships is tried by the tests of honesty, so that tests of something else need not try it on each file of candles they make."""
    from sptrader_desktop.runtime.honesty import HonestyGate

    monkeypatch.setattr(HonestyGate, "require", lambda _gate, _strategy, _traded: None)


def pytest_unconfigure() -> None:
    HOME.cleanup()
