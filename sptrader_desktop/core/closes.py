"""When the bars of a tape are over: what the compiled rules, a run's instants, explanations and reports all ask.

It loads no numba, so that a window can show orders before the engine is there; `core/closes_inlined.py` is the same for the rules.
"""

from sptrader_desktop.core.tables import Ints, Tape


def close_instant(tape: Tape, symbol: int, bar: int) -> int:
    length = tape.bar_us[symbol]
    if length == 0:
        return int(tape.over[tape.over_start[symbol] + bar])
    return int(tape.time[tape.start[symbol] + bar] + length)


def close_instants(tape: Tape, symbol: int) -> Ints:
    """Of all bars of a series."""
    length = int(tape.bar_us[symbol])
    if length == 0:
        return tape.over[tape.over_start[symbol] : tape.over_start[symbol + 1]]
    return tape.time[tape.start[symbol] : tape.start[symbol + 1]] + length
