"""What to ask a component in order to know it, and which answers must agree: chosen from the data alone, so that it is the same next time.

On long data not all bars are tried but stretches of them: its end, its beginning, and around an event of the rarest kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sptrader_desktop.core.calendar import DAY_US
from sptrader_desktop.core.candles import Candles, Int64Array
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.ports import Values
from sptrader_desktop.runtime.honesty_candles import (
    HIGHER,
    LOWER,
    STILL,
    TURNED,
    come_back,
    comes_back,
    data_hash,
    other_candles,
    other_future,
    part,
)

LOOK_AHEAD, HIGHER_TIMEFRAMES, WARM_UP, LIVE_WINDOW = "look-ahead", "higher timeframes", "warm-up", "live window"
DETERMINISM, STATE, OWN_DATA = "determinism", "state", "own data"
CHECKS = (DETERMINISM, STATE, OWN_DATA, LOOK_AHEAD, HIGHER_TIMEFRAMES, WARM_UP, LIVE_WINDOW)

MOST_BARS = 20_000
STRETCHES = 3
EVENT_CUTS, INNER_CUTS = 6, 3
# Beyond its warm-up a live window holds at least so many bars.
LIVE_BARS = 100
# Bars beyond the warm-up without which a comparison says nothing.
LEAST_COMPARED = 10


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Candles to run the component on; `first` is the bar of the data that is their bar 0."""

    candles: Candles
    first: int = 0
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answers to two questions, by number, must agree in the bars [low, high) of the data; `when` ends the sentence if not."""

    check: str
    one: int
    other: int
    low: int
    high: int
    when: str
    cut: int | None = None


@dataclass(slots=True)
class Plan:
    """Question 0 is the data as it is. `repeats` are the four that ask one thing again, `foreign` the one about another market."""

    questions: list[Question]
    stretches: tuple[tuple[int, int], ...]
    comparisons: list[Comparison] = field(default_factory=list)
    unasked: dict[str, str] = field(default_factory=dict)
    repeats: tuple[int, int, int, int] = (0, 0, 0, 0)
    foreign: int = 0

    def ask(self, candles: Candles, first: int = 0, attempt: int = 0) -> int:
        self.questions.append(Question(candles, first, attempt))
        return len(self.questions) - 1

    @property
    def cuts(self) -> int:
        return len({(item.one, item.cut) for item in self.comparisons if item.cut is not None})


def make_plan(candles: Candles, answer: EventTable | Values, warm_up: int | None) -> Plan:
    """`answer` is what the component said to the candles as they are; a `warm_up` of None needs all history."""
    rng = np.random.default_rng(int(data_hash(candles).encode().hex()[:30], 16))
    groups = _event_groups(answer)
    bars = len(candles)
    plan = Plan([Question(candles)], _stretches(bars, warm_up or 0, groups, rng))
    for number, (first, last) in enumerate(plan.stretches):
        is_whole = (first, last) == (0, bars)
        own = candles if is_whole else part(candles, first, last)
        base = 0 if is_whole else plan.ask(own, first)
        if not is_whole:
            _join_to_whole(plan, base, first, last, bars, warm_up)
        inside = [group[(group >= first) & (group < last)] - first for group in groups]
        share = 1 if len(plan.stretches) == 1 else 2
        _cut(plan, base, own, first, choose_cuts(own, inside, warm_up or 1, share, rng), warm_up or 1)
        _drop(plan, base, own, first, warm_up, 3 // share, rng)
        if number == 0:
            _ask_again(plan, base, own, first)
            _live(plan, base, own, first, warm_up)
            _move(plan, base, own, first, warm_up or 1)
    return plan


def _event_groups(answer: EventTable | Values) -> list[Int64Array]:
    """The bars of each type of event, rarest type first."""
    if not isinstance(answer, EventTable):
        return []
    kinds = sorted(set(answer.type.tolist()))
    groups = [np.unique(answer.bar[answer.type == kind]) for kind in kinds]
    return sorted(groups, key=len)


def _stretches(bars: int, warm_up: int, groups: Sequence[Int64Array], rng: np.random.Generator) -> tuple[tuple[int, int], ...]:
    length = max(MOST_BARS // STRETCHES, 2 * warm_up + 1000)
    if bars <= max(MOST_BARS, length):
        return ((0, bars),)
    end = (bars - length, bars)
    if length > MOST_BARS // 2:
        return (end,)
    event = int(rng.choice(groups[0])) if groups else int(rng.integers(bars))
    around = min(max(0, event - 3 * length // 4), bars - length)
    return tuple(dict.fromkeys((end, (0, length), (around, around + length))))


def _join_to_whole(plan: Plan, base: int, first: int, last: int, bars: int, warm_up: int | None) -> None:
    """The stretch by itself against the whole data: a future that is missing, or a past."""
    if first == 0:
        plan.comparisons.append(Comparison(LOOK_AHEAD, 0, base, 0, last, "when the bars from {cut} on are missing", last))
    elif warm_up is not None:
        missing = "when the bars before {low} are missing" if last == bars else "when there are only the bars {low} to {high}"
        when = missing.format(low=first + 1, high=last)
        plan.comparisons.append(Comparison(WARM_UP, 0, base, first + warm_up - 1, last, when))


# Look-ahead


def choose_cuts(
    candles: Candles, groups: Sequence[Int64Array], least: int, share: int, rng: np.random.Generator
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Before which bars to change the future: behind events of every type; and before the last bar, where weeks and days begin, and
    inside the bars of every higher timeframe, these not before the bar `least`. A share of 2 takes half of each."""
    bars = len(candles)
    if bars < 2:
        return (), ()
    behind: set[int] = set()
    for group in groups:
        wanted = max(1, EVENT_CUTS // (share * len(groups)))
        behind |= {int(event) + 1 for event in rng.permutation(group[group + 1 < bars])[:wanted]}
    stamps, slot = candles.timestamp, candles.timestamp // candles.bar_us
    # 7 of 12: inside two, three, four, six and twelve bars alike.
    kinds = [np.flatnonzero(slot % 12 == 7), _opens(stamps, 7 * DAY_US, 4 * DAY_US), _opens(stamps, DAY_US, 0)]
    least = max(1, bars // 8, least if least < bars else 0)
    others = {bars - 1}
    for found, wanted in zip(kinds, (INNER_CUTS // share, 1, 1), strict=True):
        others |= {int(bar) for bar in rng.permutation(found[found >= least])[:wanted]}
    if len(others) < INNER_CUTS:
        others |= {int(bar) for bar in rng.integers(min(least, bars - 1), bars, INNER_CUTS)}
    return tuple(sorted(behind)), tuple(sorted(others - behind))


def _opens(stamps: Int64Array, period: int, offset: int) -> Int64Array:
    """Where a day or a week of UTC begins; a week that had a pause begins behind it."""
    if period > DAY_US:
        after_pause = np.flatnonzero(np.diff(stamps) > DAY_US) + 1
        if len(after_pause):
            return after_pause
    return np.flatnonzero(np.diff((stamps - offset) // period) > 0) + 1


def _cut(plan: Plan, base: int, own: Candles, first: int, cuts: tuple[Sequence[int], Sequence[int]], warm_up: int) -> None:
    bars = len(own)
    if bars < 2:
        plan.unasked[LOOK_AHEAD] = "a single bar has no future"
    # A component may refuse less than it needs; one that has answered to less than its warm-up did not.
    shortest = warm_up if warm_up < bars else bars // 4
    behind, others = cuts
    futures = [(cut, other_future(own, cut, way)) for cut in behind for way in (HIGHER, LOWER)]
    futures += [(cut, other_future(own, cut, (TURNED, STILL)[number % 2])) for number, cut in enumerate(others)]
    tried = [(cut, "changed", candles) for cut, candles in futures]
    tried += [(cut, "missing", part(own, 0, cut)) for cut in (*behind, *others) if cut >= shortest]
    for cut, what, candles in tried:
        when = f"when the bars from {{cut}} on are {what}"
        plan.comparisons.append(Comparison(LOOK_AHEAD, base, plan.ask(candles, first), first, first + cut, when, first + cut))


# Warm-up


def _drop(plan: Plan, base: int, own: Candles, first: int, warm_up: int | None, count: int, rng: np.random.Generator) -> None:
    bars = len(own)
    if warm_up is None:
        plan.unasked[WARM_UP] = "it declares that it needs all history"
        return
    most = bars - warm_up - LEAST_COMPARED
    if most < 1:
        plan.unasked[WARM_UP] = f"{bars:,} bars are too few for a warm-up of {warm_up:,}"
        return
    for dropped in sorted({1, *(int(bar) for bar in rng.integers(1, max(2, most), count))}):
        other = plan.ask(part(own, dropped, bars), first + dropped)
        when = f"when the bars before {first + dropped + 1:,} are missing"
        plan.comparisons.append(Comparison(WARM_UP, base, other, first + dropped + warm_up - 1, first + bars, when))


def _live(plan: Plan, base: int, own: Candles, first: int, warm_up: int | None) -> None:
    bars = len(own)
    if warm_up is None:
        plan.unasked[LIVE_WINDOW] = "it needs all history, which live trading keeps for it"
        return
    dropped = bars - warm_up - LIVE_BARS
    if dropped < 1:
        plan.unasked[LIVE_WINDOW] = f"{bars:,} bars are no more than its live window"
        return
    other = plan.ask(part(own, dropped, bars), first + dropped)
    when = f"when only the last {warm_up + LIVE_BARS:,} bars are there"
    plan.comparisons.append(Comparison(LIVE_WINDOW, base, other, first + dropped + warm_up - 1, first + bars, when))


# Again, elsewhere, at another time


def _ask_again(plan: Plan, base: int, own: Candles, first: int) -> None:
    """In the process of attempt 1 the data, another market, the data; in that of attempt 2 another market, the data."""
    other = other_candles(own)
    once = plan.ask(own, first, 1)
    plan.foreign = plan.ask(other, first, 1)
    # An object of its own: a runner may answer one object once.
    again = plan.ask(replace(own), first, 1)
    plan.ask(other, first, 2)
    plan.repeats = (base, once, again, plan.ask(own, first, 2))


def _move(plan: Plan, base: int, own: Candles, first: int, warm_up: int) -> None:
    begin, end, shift = comes_back(own)
    if end - begin < warm_up + LEAST_COMPARED:
        plan.unasked[OWN_DATA] = "the clock changes of these years do not come back 28 years later or earlier"
        return
    kept = part(own, begin, end)
    one = base if end - begin == len(own) else plan.ask(kept, first + begin)
    other = plan.ask(come_back(kept, shift), first + begin)
    when = f"when the same bars come 28 years {'later' if shift > 0 else 'earlier'}"
    plan.comparisons.append(Comparison(OWN_DATA, one, other, first + begin, first + end, when))
