"""The questions of the backtest panel: their words, choices and order, and which of them a refusal is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.timeframes import parse_timeframe
from sptrader_desktop.present.numbers import clock, counted, grouped
from sptrader_desktop.settings import absolute_path

if TYPE_CHECKING:
    from sptrader_desktop.core.candles import Candles

DAY_US = 86_400_000_000
Kind = Literal["text", "amount", "date", "file", "files", "words"]


@dataclass(frozen=True, slots=True)
class Question:
    """`key` is the field of a recipe; `option` its name at the command line, by which refusals are told."""

    key: str
    label: str
    tip: str
    default: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    suffix: str = ""
    kind: Kind = "text"

    @property
    def option(self) -> str:
        return {"start": "--from", "end": "--to", "params": "--param"}.get(self.key, f"--{self.key.replace('_', '-')}")

    def value(self, text: str) -> str | tuple[str, ...]:
        """What a person wrote, as a recipe holds it."""
        if self.kind == "words":
            return tuple(text.replace(",", " ").split())
        if self.kind in {"file", "files"}:
            paths = tuple(str(absolute_path(part.strip())) for part in text.split(";") if part.strip())
            return paths if self.kind == "files" else "".join(paths[:1])
        return text.strip()

    def text(self, value: str | Sequence[str]) -> str:
        """The other way round."""
        return value if isinstance(value, str) else (" " if self.kind == "words" else "; ").join(value)

    def said(self, value: str | Sequence[str]) -> str:
        """As the panel shows it, with files by their names."""
        paths = [value] if isinstance(value, str) else value
        text = "; ".join(Path(path).name for path in paths) if self.kind in {"file", "files"} else self.text(value)
        if not text:
            return self.hint or "empty"
        shown = dict(self.choices).get(text) or (grouped(text) if self.kind == "amount" else text)
        return f"{shown} {self.suffix}".strip()


TIMEFRAME = Question(
    "resample",
    "Timeframe",
    "Longer candles are made of the chosen ones, which settle what came first inside them; days and weeks are New York trading days",
    hint="as the candles",
)
RANGE = (
    Question("start", "From", "The first bar's open, UTC; empty: from the first bar there is", hint="first bar", kind="date"),
    Question("end", "To", "Bars opening before this, UTC; empty: to the last bar there is", hint="last bar", kind="date"),
)
ACCOUNT = (
    Question("capital", "Capital", "What the account starts with", "10000", kind="amount"),
    Question("currency", "Currency", "The account's currency, in which all money is told", "USD"),
    Question("leverage", "Leverage", "Exposure may be so many times the equity", "30", suffix=": 1"),
)
FILLS = (
    Question(
        "fill",
        "Fill",
        "When an order decided at a close is filled",
        "next_open",
        (("next_open", "At the next open"), ("close", "At the deciding close")),
    ),
    Question(
        "intrabar",
        "Inside a bar",
        "Which comes first when stop and target both lie inside one bar",
        "stop_first",
        (("stop_first", "Stop first (pessimistic)"), ("target_first", "Target first")),
    ),
)
COSTS = (
    Question("spread", "Spread", "Fixed, where the candles do not carry both sides", "0", suffix="pips"),
    Question("slippage", "Slippage", "Worsens market and stop fills", "0", suffix="pips"),
    Question("commission", "Commission", "Per fill: 3.5/lot, 0.002%, or 3.5/lot,min=1", hint="none"),
)
MORE = (
    Question("params", "Parameters", "Instead of the strategy's own numbers, for this run only", hint="fast_period=12", kind="words"),
    Question("ask", "Ask prices", "Real ask prices to the bid candles above, a file for each symbol", hint="none", kind="files"),
    Question(
        "finer", "Finer bars", "Candles that settle what came first inside a bar, before those of the timeframe", hint="none", kind="files"
    ),
    Question("finer_ask", "Finer ask", "Real ask prices to the finer candles", hint="none", kind="files"),
    Question("rates", "Rates", "Candles of pairs that convert to the account's currency", hint="none", kind="files"),
    Question("instruments", "Instruments", "Your own instruments, as a file", hint="built in", kind="file"),
    Question("financing", "Financing", "Annual long and short rates by symbol, as a file", hint="none", kind="file"),
)
GROUPS = (("Range", RANGE), ("Account", ACCOUNT), ("Rules of filling", FILLS), ("Costs", COSTS))
# Where candles may come from that are in no list: what is asked of whom is written down.
ELSEWHERE = {"http": "HTTP server", "realtime": "Live prices so far"}
SOURCES = (("", "Kept candles"), *ELSEWHERE.items())
WANTED = "Candles: write a symbol and a timeframe, such as EURUSD 1h"
QUESTIONS = (TIMEFRAME, *(question for _, group in GROUPS for question in group), *MORE)
BY_KEY = {question.key: question for question in QUESTIONS}


def is_elsewhere(source: str) -> bool:
    return source in ELSEWHERE


def named_candles(text: str) -> tuple[str, str] | None:
    """`eurusd 1h`: which symbol and timeframe are asked for; nothing where it says no two."""
    words = text.replace(",", " ").split()
    try:
        parse_timeframe(words[1] if len(words) == 2 else "")
    except DataError:
        return None
    return words[0].upper(), words[1]


def refused(sentence: str) -> tuple[Question | None, str]:
    """The question that a refusal is about, and the refusal in the window's words."""
    for question in QUESTIONS:
        if sentence.startswith(f"{question.option} "):
            return question, f"{question.label} {sentence[len(question.option) + 1 :]}"
    return None, sentence


def answers_of(recipe: Mapping[str, Any]) -> dict[str, str]:
    """Every answer as a person would have written it; `recipe` by the names of its fields."""
    return {key: question.text(recipe[key]) for key, question in BY_KEY.items()}


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What is asked for otherwise than it was, in the order of the panel; recipes by the names of their fields."""
    found = []
    if now["strategy"] != before["strategy"]:
        found.append(f"the strategy is {Path(now['strategy']).stem} now, was {Path(before['strategy']).stem}")
    if _candles(now) != _candles(before):
        found.append(f"the candles are {_candles(now)} now, were {_candles(before)}")
    for question in QUESTIONS:
        new, old = (question.said(recipe[question.key]) for recipe in (now, before))
        found += [f"{question.label} is {new} now, was {old}"] if new != old else []
    return found or ["the candles are others than those of this run"]  # of one name, from another place


def _candles(recipe: Mapping[str, Any]) -> str:
    return " ".join(Path(file).name for file in recipe["data"]) or " ".join((*recipe["symbols"], recipe["timeframe"], recipe["source"]))


def candles_line(candles: "Candles") -> str:
    """`2,621 bars, 2024-01-02 00:00 to 2024-05-31 20:00 UTC`: how many, and the opens of the first and the last."""
    if not len(candles):
        return "no bars"
    return f"{counted(len(candles), 'bar')}, {clock(int(candles.timestamp[0]))} to {clock(int(candles.timestamp[-1]))} UTC"
