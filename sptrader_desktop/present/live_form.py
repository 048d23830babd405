"""What a live session is started with: the questions, and the command line that the answers stand for."""

from collections.abc import Mapping

from sptrader_desktop.present.run_form import BY_KEY, Question

Answers = Mapping[str, str]
TIMEFRAMES = ("1m", "5m", "15m", "30m", "1h", "4h", "1d")
MARKET = (
    Question("symbols", "Symbols", "What is traded, with a blank between two", hint="EURUSD GBPUSD", kind="words"),
    Question("timeframe", "Timeframe", "Of the candles that are built from prices", "1m", tuple((each, each) for each in TIMEFRAMES)),
    Question(
        "signals",
        "Signals",
        "Calculated here and heard on the stream signals:live, or heard there alone",
        "own",
        (("own", "Own, and from the stream"), ("stream", "From the stream alone")),
    ),
    Question(
        "source",
        "Warm-up",
        "Candles from before the start, and of gaps; without any, indicators wait until enough candles came",
        "",
        (
            ("", "None: wait for live candles"),
            ("realtime", "Prices that the stream still has"),
            ("postgres", "PostgreSQL"),
            ("catalogue", "Files: the catalogue"),
            ("http", "Candle server"),
        ),
    ),
)
ACCOUNT = tuple(BY_KEY[key] for key in ("capital", "currency", "leverage"))
COSTS = (
    Question("spread", "Spread", "Fixed, where prices are mids without bid and ask", "0", suffix="pips"),
    *(BY_KEY[key] for key in ("slippage", "commission")),
)
MORE = (
    Question("rates", "Rates", "Pairs that are not traded and only convert to the account's currency", hint="none", kind="words"),
    BY_KEY["params"],
    BY_KEY["instruments"],
)
AT_STOP = Question(
    "at_stop",
    "At Stop",
    "What the button Stop does with positions that are open; no part of the command line",
    "ask",
    (("ask", "Ask, if positions are open"), ("keep", "Keep positions, with their stops"), ("close", "Close all positions first")),
)
QUESTIONS = (*MARKET, *ACCOUNT, *COSTS, *MORE, AT_STOP)
COMMON = (*(question.key for question in (*ACCOUNT, *COSTS)), "params", "instruments")  # what a backtest is asked too


def defaults() -> dict[str, str]:
    return {question.key: question.default for question in QUESTIONS}


def words_of(answers: Answers, key: str) -> tuple[str, ...]:
    return tuple(answers[key].replace(",", " ").split())


def symbols_of(answers: Answers, key: str = "symbols") -> tuple[str, ...]:
    return tuple(word.upper() for word in words_of(answers, key))


def command(answers: Answers) -> list[str]:
    """What follows `sptrader`; an answer that is the command's own is not said."""
    said = ["live", answers["strategy"], "--symbols", *symbols_of(answers), "--timeframe", answers["timeframe"]]
    for question in QUESTIONS:
        values = _values(question, answers)
        if values and question.key not in {"symbols", "timeframe", "at_stop"} and values != [question.default]:
            said += _options(question, values)
    return [*said, "--headless"]


def _options(question: Question, values: list[str]) -> list[str]:
    return [word for value in values for word in ("--param", value)] if question.key == "params" else [question.option, *values]


def _values(question: Question, answers: Answers) -> list[str]:
    text = answers[question.key]
    if question.key == "rates":
        return list(symbols_of(answers, "rates"))
    value = question.value(text.upper() if question.key == "currency" else text)
    return [value] if isinstance(value, str) and value else list(value) if not isinstance(value, str) else []
