"""What a live session is started with: each wrong answer is told beside its field, and what is shown is the command that is run."""

import shlex
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.cli.options import parser
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.present import live_form
from sptrader_desktop.ui.live.answer_problems import problems_of, where_refused


def answers(strategy: str, **given: str) -> dict[str, str]:
    return {**live_form.defaults(), "strategy": strategy, "symbols": "eurusd, GBPUSD", **given}


@pytest.fixture
def strategy(tmp_path: Path) -> str:
    path = tmp_path / "with a blank.yaml"
    path.write_text("name: x\n", encoding="utf-8")
    return str(path)


FIGURES = st.decimals(0, 1000, places=2).map(str)


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from(sorted(CATALOGUE)), min_size=1, max_size=4, unique=True),
    st.fixed_dictionaries(
        {
            "timeframe": st.sampled_from(live_form.TIMEFRAMES),
            "signals": st.sampled_from(["own", "stream"]),
            "source": st.sampled_from(["", "realtime", "postgres", "catalogue", "http"]),
            "capital": FIGURES,
            "currency": st.sampled_from(["USD", "eur", "JPY"]),
            "spread": FIGURES,
            "commission": st.sampled_from(["", "3.5/lot", "0.002%", "3.5/lot,min=1"]),
            "params": st.sampled_from(["", "fast=12", "fast=12 slow=26"]),
            "rates": st.sampled_from(["", "EURUSD usdjpy"]),
        }
    ),
)
def test_the_line_that_is_shown_is_understood_as_it_was_answered(symbols: list[str], given: dict[str, str]) -> None:
    told = answers("/a folder/it's.yaml", **given, symbols=" ".join(symbols))
    chosen = parser().parse_args(shlex.split(shlex.join(live_form.command(told))))
    assert (chosen.command, chosen.strategies, chosen.headless) == ("live", [Path("/a folder/it's.yaml")], True)
    assert (chosen.symbols, chosen.rates) == (symbols, given["rates"].upper().split())
    for name in ("timeframe", "signals", "source", "capital", "spread", "commission"):
        assert getattr(chosen, name) == given[name]
    assert (chosen.currency, chosen.param) == (given["currency"].upper(), given["params"].split())


def test_answers_that_are_right_have_no_problem(strategy: str) -> None:
    assert problems_of(answers(strategy, rates="USDJPY", currency="jpy"), CATALOGUE) == {}


@pytest.mark.parametrize(
    ("wrong", "key", "words"),
    [
        ({"symbols": " "}, "symbols", "Say which symbols are traded, such as EURUSD"),
        ({"symbols": "EURUSD eurusd"}, "symbols", "EURUSD is there twice: keep one"),
        ({"symbols": "EURUSDD"}, "symbols", "EURUSDD is no known instrument: did you mean EURUSD?"),
        ({"timeframe": "soon"}, "timeframe", "Write it like 30s, 5m, 1h or 1d"),
        ({"capital": "0"}, "capital", "Give an amount above zero with at most eight decimals"),
        ({"capital": "much"}, "capital", "That is not a number: write it like 1000 or 0.25"),
        ({"leverage": "0.5"}, "leverage", "Give a number from 1 to 5000 with at most two decimals"),
        ({"currency": "DOLLAR"}, "currency", "Give three capital letters, for example USD"),
        ({"spread": "-1"}, "spread", "A cost is zero or more, with at most six decimals"),
        ({"params": "fast"}, "params", "Write it as name=value"),
        ({"instruments": "/nowhere.yaml"}, "instruments", "There is no such file: choose another"),
        ({"rates": "EURUSD"}, "rates", "EURUSD is traded, which gives its rate already: take it out here"),
        ({"symbols": "EURGBP"}, "rates", "EURGBP is paid in GBP: add GBPUSD, which converts it to USD"),
        ({"strategy": "/gone.yaml"}, "strategy", "This file is gone: choose another strategy"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(strategy: str, wrong: dict[str, str], key: str, words: str) -> None:
    assert problems_of(answers(strategy) | wrong, CATALOGUE) == {key: words}


def test_a_refused_start_finds_its_field() -> None:
    assert where_refused("--capital 0: give more")[0] == "capital"
    assert where_refused("the account was begun otherwise") == ("", "the account was begun otherwise")
