"""`services.yaml`: the document's own text is valid, every key is read, and a bad file is told everything that is wrong with it at once."""

from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from sptrader_desktop.adapters.yaml_services import parse_services, read_services
from sptrader_desktop.adapters.yaml_text import LARGEST
from sptrader_desktop.core.errors import SptraderError, StrategyError
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.risk_tree import WHOLE, NodeLimits
from sptrader_desktop.core.strategy_fields import Plain
from sptrader_desktop.runtime.live import services_config
from sptrader_desktop.runtime.live.risk_config import KEYS, limits_of
from sptrader_desktop.runtime.live.services_config import ServicesConfig, resolve_services
from tests.documents import GUIDE, ROOT, codes, rows
from tests.edits import edited

SHIPPED = ROOT / "workspace" / "services.yaml"
# As the old program's document prints it.
DOCUMENT = """\
services:
  data_fetching:
    enabled: true
    fetch_interval: 30
    retry_attempts: 3
    candle_index: 2
    nbr_bars: 2

  indicator_calculation:
    enabled: true
    recent_rows_limit: 6
    track_regime_changes: true

  strategy_evaluation:
    enabled: true
    evaluation_mode: "on_new_candle"
    min_rows_required: 3

  trade_execution:
    enabled: true
    execution_mode: "immediate"

orchestrator:
  enable_auto_restart: true
  health_check_interval: 60
  status_log_interval: 10
"""


def problems(text: str) -> list[str]:
    with pytest.raises(StrategyError) as error:
        parse_services(text, "services.yaml")
    return str(error.value).splitlines()


def test_the_documents_text_the_file_that_ships_and_an_empty_one_say_the_same() -> None:
    assert parse_services(DOCUMENT, "x") == read_services(SHIPPED) == parse_services("services: {}", "x") == ServicesConfig()


EVERY_KEY = [
    (section, key)
    for section, keys in (YAML(typ="safe", pure=True).load(SHIPPED)["services"] | {"orchestrator": ServicesConfig().orchestrator}).items()
    for key in (keys if isinstance(keys, dict) else [of.name for of in fields(keys)])
]
OTHER = {
    "true": "false",
    "30": "2.5",
    "3": "4",
    "2": "3",
    "6": "60",
    "60": "7",
    "10": "11",
    "5": "0",
    '"on_new_candle"': "on_signal",
    '"immediate"': "observe",
    "signals.regime": "signals.other",
}


@pytest.mark.parametrize(("section", "key"), EVERY_KEY)
def test_every_key_is_read(section: str, key: str) -> None:
    lines = read_services_text().splitlines()
    start = next(at for at, line in enumerate(lines) if line.strip() == f"{section}:")
    at = next(at for at in range(start, len(lines)) if lines[at].strip().startswith(f"{key}:"))
    written = lines[at].split("#")[0].split(": ")[1].strip()
    lines[at] = lines[at].split(":")[0] + f": {OTHER[written]}"
    text = "\n".join(lines)
    if key == "candle_index":
        text = text.replace("nbr_bars: 2", "nbr_bars: 9")
    if (section, key) == ("data_fetching", "enabled"):
        text = text.replace("indicator_calculation:\n    enabled: true", "indicator_calculation:\n    enabled: false")
    changed, before = getattr(parse_services(text, "x"), section), getattr(ServicesConfig(), section)
    assert getattr(changed, key) != getattr(before, key)
    others = {of.name: getattr(before, of.name) for of in fields(before) if of.name not in {key, "nbr_bars"}}
    assert replace(changed, **others) == changed


def read_services_text() -> str:
    return SHIPPED.read_text(encoding="utf-8")


def test_every_problem_is_told_at_once_with_its_place_and_the_nearest_name() -> None:
    text = edited(DOCUMENT, "fetch_interval: 30", "fetch_intervall: 30")
    text = edited(text, "retry_attempts: 3", "retry_attempts: many")
    text = edited(text, "candle_index: 2", "candle_index: 1")
    text = edited(text, '"on_new_candle"', "on_new_candel")
    text = edited(text, "health_check_interval: 60", "health_check_interval: 0")
    text = edited(text, "enable_auto_restart: true", "enable_auto_restart: yes")
    assert problems(text) == [
        "services.yaml:4:5: services.data_fetching.fetch_intervall: is no key here; the keys are enabled, fetch_interval, retry_attempts, "
        "candle_index, nbr_bars; did you mean 'fetch_interval'?",
        "services.yaml:5:21: services.data_fetching.retry_attempts = many: must be a whole number from 0 to 20",
        "services.yaml:6:19: services.data_fetching.candle_index = 1: is the bar that is still open, which may change: "
        "write 2 for the last one that is over",
        "services.yaml:16:22: services.strategy_evaluation.evaluation_mode = on_new_candel: must be one of on_new_candle, on_signal; "
        "did you mean 'on_new_candle'?",
        "services.yaml:24:24: orchestrator.enable_auto_restart = yes: must be true or false",
        "services.yaml:25:26: orchestrator.health_check_interval = 0: must be above 0 and at most 86400",
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "candle_index: 2",
            "candle_index: 5",
            "7:15: services.data_fetching.nbr_bars = 2: does not reach back to the bar that candle_index 5",
        ),
        ("recent_rows_limit: 6", "recent_rows_limit: 2", "17:24: services.strategy_evaluation.min_rows_required = 3: is more than recent"),
        (
            "enabled: true\n    fetch",
            "enabled: false\n    fetch",
            "3:14: services.data_fetching.enabled = false: leaves indicator_calculation",
        ),
        ("nbr_bars: 2", "nbr_bars: 2\n    nbr_bars: 3", "8:5: services.data_fetching.nbr_bars: is written twice, first in line 7"),
        ("services:\n", "services: !!python/object:os.system\n", "tags are not allowed"),
        ("services:\n  data", "services: &a\n  data", "anchors are not allowed"),
    ],
)
def test_what_does_not_go_together_is_told_where_it_stands(old: str, new: str, said: str) -> None:
    (line,) = problems(edited(DOCUMENT, old, new))
    assert said in line


def test_a_key_that_is_not_written_is_blamed_at_its_section() -> None:
    assert problems("services:\n  data_fetching: {candle_index: 4}") == [
        "services.yaml:2:3: services.data_fetching.nbr_bars = 2: does not reach back to the bar that candle_index 4 names: write 3 or more"
    ]


def test_what_is_no_such_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    assert problems("") == ["services.yaml:1:1: file: is empty: a services file starts with 'services: …'"]
    assert problems("#" * (LARGEST + 1))[0].endswith("is larger than 64 KiB: no services file needs that")
    with pytest.raises(SptraderError, match="there is no services file"):
        read_services(tmp_path / "services.yaml")


LEAVES = st.none() | st.booleans() | st.decimals(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
PLAIN: st.SearchStrategy[Plain] = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["enabled", "x"]), inner, max_size=2), max_leaves=5
)


@settings(max_examples=200)
@given(st.sampled_from(EVERY_KEY), PLAIN, st.booleans())
def test_any_value_in_any_place_gives_a_configuration_or_problems(place: tuple[str, str], value: Plain, whole: bool) -> None:
    section, key = place
    inner: dict[str, Plain] = {section: value if whole else {key: value}}
    data: Plain = inner if section == "orchestrator" else {"services": inner}
    result = resolve_services(data)
    assert isinstance(result, ServicesConfig) or all(section in problem.path or problem.path[-1] == section for problem in result)
    if isinstance(result, ServicesConfig):
        assert result.data_fetching.nbr_bars >= result.data_fetching.candle_index - 1
        assert result.data_fetching.candle_index >= 2
        assert 0 < result.data_fetching.fetch_interval <= 86_400


def test_the_guide_says_what_every_key_does() -> None:
    told = [tuple(codes(row[0])) for row in rows(GUIDE, "key of `services.yaml`")]
    assert told == [(f"{section}.{key}",) for section, key in EVERY_KEY]
    values = [row[1] for row in rows(GUIDE, "key of `services.yaml`")]
    assert values == [f"`{shown(getattr(getattr(ServicesConfig(), section), key))}`" for section, key in EVERY_KEY]
    modes = " ".join(row[2] for row in rows(GUIDE, "key of `services.yaml`"))
    assert {*services_config.EVALUATION_MODES, *services_config.EXECUTION_MODES} <= set(codes(modes))


# Limits


LIMITED = """\
risk:
  account: {max_daily_loss: 300, max_drawdown: 1000.5, max_exposure: 100000, max_margin: 4000, max_positions: 5, on_breach: flatten}
  each_symbol: {max_daily_loss: 150, max_orders_per_minute: 30}
  symbols:
    EURUSD: {max_daily_loss: 75}
"""


def test_limits_of_the_account_and_of_each_symbol_are_read_in_its_money() -> None:
    risk = parse_services(LIMITED, "x").risk
    one = 100_000_000
    assert limits_of(risk, ["EURUSD", "USDJPY"], CATALOGUE) == (
        NodeLimits(WHOLE, 300 * one, 1_000 * one + one // 2, 100_000 * one, 4_000 * one, 5, None, True),
        NodeLimits("EURUSD", daily_loss=75 * one, orders_a_minute=30),
        NodeLimits("USDJPY", daily_loss=150 * one, orders_a_minute=30),
    )
    assert limits_of(ServicesConfig().risk, ["EURUSD"], CATALOGUE) == ()


def test_a_limit_that_would_hold_for_nothing_is_refused() -> None:
    wrong = "account: {max_daily_los: 3, max_positions: 1.5, on_breach: stop}, symbols: {EURUSD: {max_margin: 0}}"
    assert problems(f"risk: {{acount: {{}}, {wrong}}}") == [
        "services.yaml:1:8: risk.acount: is no key here; the keys are account, each_symbol, symbols; did you mean 'account'?",
        "services.yaml:1:30: risk.account.max_daily_los: is no key here; the keys are max_daily_loss, max_drawdown, max_exposure, "
        "max_margin, max_positions, max_orders_per_minute, on_breach; did you mean 'max_daily_loss'?",
        "services.yaml:1:63: risk.account.max_positions = 1.5: must be a whole number from 0 to 500",
        "services.yaml:1:79: risk.account.on_breach = stop: must be one of close_only, flatten",
        "services.yaml:1:117: risk.symbols.EURUSD.max_margin = 0: must be above 0 and at most 1000000000",
    ]
    config = parse_services("risk: {symbols: {EURSUD: {max_positions: 1}}}", "x").risk
    with pytest.raises(SptraderError, match=r"risk\.symbols\.EURSUD is not a known instrument.*did you mean EURUSD\?"):
        limits_of(config, ["EURUSD"], CATALOGUE)


def test_the_guide_says_what_every_limit_is() -> None:
    assert [codes(row[0]) for row in rows(GUIDE, "key of a limit")] == [[key] for key in KEYS]


def shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
