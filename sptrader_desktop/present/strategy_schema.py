"""What may stand where in a strategy file, and what it means: one table for completion, help, forms and sliders.

Which values are valid is said by `core/strategy_rules.py`; a test holds this table against the keys that are accepted there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sptrader_desktop.core.strategy_fields import Path, Span
from sptrader_desktop.core.strategy_rules import (
    ACTIVATION,
    AMOUNT,
    EXIT_ACTIONS,
    LEVEL_KINDS,
    LIMIT,
    LONGEST_PERIOD,
    MOST_BARS,
    MOST_POSITIONS,
    NOTIONAL,
    OFFSET_KINDS,
    ORDER_KINDS,
    PART,
    SIDES,
    SIZE_MODES,
    SIZE_SPANS,
)
from sptrader_desktop.core.strategy_rules import ONE as FIRST


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a number counts, and which are valid. A unit of `%` is written as a fraction and read as percent."""

    span: Span
    unit: str = ""
    is_whole: bool = False


def _count(most: int, unit: str) -> Quantity:
    return Quantity(Span(FIRST, FIRST * most, has_low=True), unit, is_whole=True)


@dataclass(frozen=True, slots=True)
class Key:
    """`inside` names the section of the keys under it, `words` are its only values, `by` the key beside it that decides its quantity."""

    help: str
    inside: str = ""
    words: tuple[str, ...] = ()
    quantity: Quantity | None = None
    by: str = ""
    quantities: Mapping[str, Quantity] = field(default_factory=dict)
    is_needed: bool = False


PERCENT = Quantity(PART, "%")
TRUTHS = ("true", "false")
LEVELS = {
    "percentage": PERCENT,
    "pips": Quantity(AMOUNT, "pips"),
    "atr": Quantity(AMOUNT, "× ATR"),
    "price": Quantity(AMOUNT, "price"),
}
SIZES = {
    "fraction": Quantity(NOTIONAL, "%"),
    "units": Quantity(SIZE_SPANS["units"], "units"),
    "lots": Quantity(SIZE_SPANS["lots"], "lots"),
    "risk": Quantity(LIMIT, "%"),
}
STOP = Key("The level that ends a losing position, measured from the fill price; a bare number is a percentage.", "level", quantity=PERCENT)
TARGET = Key(
    "The level that ends a winning position, measured from the fill price; a bare number is a percentage.", "level", quantity=PERCENT
)
WHEN = Key("One condition, or a list of them that must all hold on the same bar.", "condition", is_needed=True)
NOTIONAL_LIMIT = "The most notional of one position, as a multiple of equity; a larger entry is reduced to it."

SECTIONS: dict[str, dict[str, Key]] = {
    "file": {
        "name": Key("What the strategy is called: 1 to 64 small letters, digits and _.", is_needed=True),
        "version": Key("Its version, as text in quotes.", is_needed=True),
        "author": Key("Who wrote it."),
        "description": Key("What it does, in a sentence."),
        "dependencies": Key("The components it needs: its signals, and indicators you want named.", "dependencies", is_needed=True),
        "parameters": Key("Your own names and values; parameters.x stands for the value of x anywhere else in the file.", "parameters"),
        "entry": Key("One entry rule, or a list of them that are judged in this order.", "entry", is_needed=True),
        "exit": Key("How positions end.", "exit"),
        "risk": Key("Limits of the account.", "risk"),
    },
    "dependencies": {
        "indicators": Key("Indicators you want named, in full: indicators.trend.sma."),
        "signals": Key("The signals its conditions use, in full: signals.ma_crossover, or {use: …, params: {…}}.", "use", is_needed=True),
    },
    "use": {
        "use": Key("The signal's full name, such as signals.ma_crossover.", is_needed=True),
        "params": Key("Values for the signal's own parameters; those left out keep their defaults.", "params"),
    },
    "entry": {
        "when": WHEN,
        "action": Key("buy opens a long position, sell a short one.", words=tuple(SIDES), is_needed=True),
        "size": Key(
            "How much: a bare number is that share of equity; {mode: …, value: …} says it otherwise. Rounded down to the step.",
            "size",
            quantity=SIZES["fraction"],
            is_needed=True,
        ),
        "order": Key("How it enters: at the next open unless given.", "order"),
        "scale_in": Key("true lets further positions be added on this side, up to max_positions.", words=TRUTHS),
        "max_positions": Key(
            "Positions and working orders of the symbol on this side; more than 1 only with scale_in.",
            quantity=_count(MOST_POSITIONS, ""),
        ),
        "reverse": Key("true first closes what is open the other way; without it an opposite entry is ignored.", words=TRUTHS),
    },
    "condition": {
        "signal": Key("The signal whose event is asked for, by the last part of its name.", is_needed=True),
        "outputs": Key("What the event must look like; without it any event of the signal will do.", "outputs"),
        "any": Key("A list of conditions of which one must hold.", "condition"),
        "all": Key("A list of conditions that must all hold.", "condition"),
        "not": Key("A condition that must not hold.", "condition"),
    },
    "size": {
        "mode": Key(
            "fraction: notional as a share of equity; units; lots; risk: the way to the stop costs that share of equity.",
            words=SIZE_MODES,
            is_needed=True,
        ),
        "value": Key("How much, in the terms of mode.", by="mode", quantities=SIZES, is_needed=True),
    },
    "order": {
        "type": Key(
            "market fills at the next open; limit and stop wait at offset from the deciding close.", words=ORDER_KINDS, is_needed=True
        ),
        "offset": Key("How far from the deciding close the order waits.", "offset"),
        "expiry": Key("The number of following bars in which the order works.", quantity=_count(MOST_BARS, "bars")),
    },
    "exit": {
        "signal_exit": Key("One rule or a list: when it closes, and what.", "signal_exit"),
        "stop_loss": STOP,
        "take_profit": TARGET,
        "trailing_stop": Key("A stop that follows the best close; it acts from the next bar and never loosens.", "trailing"),
        "scale_out": Key("true: the first target hit closes only partial_close_pct of the symbol's quantity, oldest first.", words=TRUTHS),
        "partial_close_pct": Key("The share that scale_out and close_partial close.", quantity=PERCENT),
        "time_exit": Key("Closes at the n-th close of a position: 48, or {bars: 48}.", "time_exit", quantity=_count(MOST_BARS, "bars")),
    },
    "signal_exit": {
        "when": WHEN,
        "action": Key("What is closed of the symbol: everything, the longs, the shorts, or a part.", words=EXIT_ACTIONS, is_needed=True),
    },
    "level": {
        "type": Key(
            "percentage is a fraction of the fill price; pips; atr: multiples of the average true range; price.", words=LEVEL_KINDS
        ),
        "value": Key("How far, in the terms of type: 2 percent is 0.02.", by="type", quantities=LEVELS, is_needed=True),
        "period": Key("Bars of the average true range, 14 unless given; type atr only.", quantity=_count(LONGEST_PERIOD, "bars")),
    },
    "offset": {
        "type": Key("percentage is a fraction of the close; pips; atr: multiples of the average true range.", words=OFFSET_KINDS),
        "value": Key("How far, in the terms of type.", by="type", quantities=LEVELS, is_needed=True),
        "period": Key("Bars of the average true range, 14 unless given; type atr only.", quantity=_count(LONGEST_PERIOD, "bars")),
    },
    "trailing": {
        "activation_pct": Key("From this much profit on it follows, 0 unless given.", quantity=Quantity(ACTIVATION, "%")),
        "trail_pct": Key("How far behind the best close it stays.", quantity=PERCENT, is_needed=True),
    },
    "time_exit": {"bars": Key("Closes at this close of a position.", quantity=_count(MOST_BARS, "bars"), is_needed=True)},
    "risk": {
        "max_drawdown": Key(
            "A fall from the highest equity by this fraction closes everything and stops entries to the end of the run.",
            quantity=Quantity(LIMIT, "%"),
        ),
        "daily_loss_limit": Key(
            "A loss of this fraction since the roll (17:00 New York) closes everything until the next trading day.",
            quantity=Quantity(LIMIT, "%"),
        ),
        "position_limit": Key(NOTIONAL_LIMIT, quantity=Quantity(NOTIONAL, "× equity")),
        "max_position_size": Key(f"Another name for position_limit. {NOTIONAL_LIMIT}", quantity=Quantity(NOTIONAL, "× equity")),
        "max_positions": Key("Open positions and working orders in the whole account.", quantity=_count(MOST_POSITIONS, "")),
        "stop_loss": STOP,
        "take_profit": TARGET,
    },
}
# Sections whose keys are the writer's or a component's own names.
OPEN = {"parameters", "params", "outputs"}


def section_at(path: Path) -> str:
    """The section whose keys stand directly under `path`; nothing where there are none. Places in lists do not matter."""
    section = "file"
    for name in path:
        if isinstance(name, int):
            continue
        key = SECTIONS.get(section, {}).get(name)
        if key is None:
            return ""
        section = key.inside
    return section


def key_at(path: Path) -> Key | None:
    """What is known of the key that `path` ends in, or whose entry it is."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    return SECTIONS.get(section_at(path[:-1]), {}).get(str(path[-1])) if path else None
