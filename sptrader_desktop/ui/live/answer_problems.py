"""What is wrong with the answers that a live session would be started with: judged before anything is started, by the rules of a run."""

import difflib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from sptrader_desktop.core.conversion import conversion_legs
from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.core.timeframes import parse_timeframe
from sptrader_desktop.present.live_form import ACCOUNT, COSTS, QUESTIONS, Answers, symbols_of, words_of
from sptrader_desktop.present.run_form import BY_KEY, Question, refused
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.runtime.recipe_values import overrides, terms_of

LEAST_LIKE = 0.5


def problems_of(answers: Answers, known: Mapping[str, Instrument]) -> dict[str, str]:
    """By question, each in one sentence; `known` instruments are looked at unless the session has a file of its own."""
    found = dict[str, str]()
    if not answers["strategy"]:
        found["strategy"] = "Choose a strategy: the navigator makes a new one from a template"
    elif not Path(answers["strategy"]).is_file():
        found["strategy"] = "This file is gone: choose another strategy"
    traded, rates = symbols_of(answers), symbols_of(answers, "rates")
    known_here = None if answers["instruments"].strip() else known
    found |= {"symbols": said} if (said := _symbols_problem(traded, known_here)) else {}
    found |= _timeframe_problem(answers["timeframe"])
    for question in (*ACCOUNT, *COSTS):
        found |= _figure_problem(question, answers)
    if "currency" not in found:
        found |= {"rates": said} if (said := _rates_problem(traded, rates, answers, known_here)) else {}
    try:
        overrides(words_of(answers, "params"))
    except SptraderError as error:
        found["params"] = _sentence(error)
    if answers["instruments"].strip() and not Path(str(BY_KEY["instruments"].value(answers["instruments"]))).is_file():
        found["instruments"] = "There is no such file: choose another"
    return found


def _symbols_problem(traded: Sequence[str], known: Collection[str] | None) -> str:
    if not traded:
        return "Say which symbols are traded, such as EURUSD"
    if len(set(traded)) < len(traded):
        return f"{next(each for each in traded if traded.count(each) > 1)} is there twice: keep one"
    return _unknown(traded, known)


def _unknown(symbols: Sequence[str], known: Collection[str] | None) -> str:
    strange = next((each for each in symbols if known is not None and each not in known), None)
    if strange is None or known is None:
        return ""
    like = difflib.get_close_matches(strange, known, 1, LEAST_LIKE)
    return f"{strange} is no known instrument{f': did you mean {like[0]}?' if like else ': describe it in a file, under More'}"


def _rates_problem(traded: Sequence[str], rates: Sequence[str], answers: Answers, known: Mapping[str, Instrument] | None) -> str:
    """Which pair is missing is told by name."""
    both = next((each for each in rates if each in traded), None)
    if both is not None:
        return f"{both} is traded, which gives its rate already: take it out here"
    unknown = _unknown(rates, known)
    if unknown or known is None or _unknown(traded, known):
        return unknown
    account, series = answers["currency"].strip().upper(), [known[each] for each in (*traded, *rates)]
    for item in series[: len(traded)]:
        try:
            conversion_legs(item.quote, account, series)
        except SptraderError:
            pairs = [pair for pair in (f"{item.quote}{account}", f"{account}{item.quote}") if pair in known]
            named = f"{pairs[0]}, which converts" if pairs else f"pairs of {item.quote} and of {account} against USD, which convert"
            return f"{item.symbol} is paid in {item.quote}: add {named} it to {account}"
    return ""


def _timeframe_problem(text: str) -> dict[str, str]:
    try:
        parse_timeframe(text.strip())
    except SptraderError:
        return {"timeframe": "Write it like 30s, 5m, 1h or 1d"}
    return {}


def _figure_problem(question: Question, answers: Answers) -> dict[str, str]:
    text = str(question.value(answers[question.key]))
    try:
        terms_of(Recipe.from_json({"strategy": "", question.key: text.upper() if question.key == "currency" else text}))
    except SptraderError as error:
        return {question.key: _sentence(error)}
    return {}


def _sentence(error: SptraderError) -> str:
    """Beside its field, so that neither option nor answer need be said again."""
    question, words = refused(str(error))
    rest = words.partition(": ")[2] if question is not None and ": " in words else words
    return rest[:1].upper() + rest[1:]


def where_refused(sentence: str) -> tuple[str, str]:
    """The question that a refused start is about, or none, and what to say there."""
    question, _ = refused(sentence)
    keys = {each.key for each in QUESTIONS}
    return (question.key, sentence) if question is not None and question.key in keys else ("", sentence)
