"""The questions of the backtest panel: their words, choices and order, and which of them a refusal is about."""

from dataclasses import dataclass


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

    @property
    def option(self) -> str:
        return {"start": "--from", "end": "--to"}.get(self.key, f"--{self.key}")


RANGE = (
    Question("start", "From", "The first bar's open, UTC; empty: from the first bar there is", hint="first bar"),
    Question("end", "To", "Bars opening before this, UTC; empty: to the last bar there is", hint="last bar"),
)
ACCOUNT = (
    Question("capital", "Capital", "What the account starts with", "10000"),
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
GROUPS = (("Range", RANGE), ("Account", ACCOUNT), ("Rules of filling", FILLS), ("Costs", COSTS))
QUESTIONS = tuple(question for _, group in GROUPS for question in group)


def refused(sentence: str) -> tuple[Question | None, str]:
    """The question that a refusal is about, and the refusal in the window's words."""
    for question in QUESTIONS:
        if sentence.startswith(f"{question.option} "):
            return question, f"{question.label} {sentence[len(question.option) + 1 :]}"
    return None, sentence
