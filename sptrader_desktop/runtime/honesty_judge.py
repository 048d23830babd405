"""From the answers of a plan to findings: what was checked and what was found, in sentences that name output, bar, values and line."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sptrader_desktop.core.calendar import DAY_US, HOUR_US, trading_day
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.components import ComponentSpec
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.ports import Answer
from sptrader_desktop.runtime.honesty_compare import EXACT, ROUNDING, Difference, Placed, difference, is_same_whatever_it_is_given
from sptrader_desktop.runtime.honesty_lines import likely_line, suspicious_line
from sptrader_desktop.runtime.honesty_plan import (
    CHECKS,
    DETERMINISM,
    HIGHER_TIMEFRAMES,
    LIVE_WINDOW,
    LOOK_AHEAD,
    OWN_DATA,
    STATE,
    WARM_UP,
    Comparison,
    Plan,
)

MINUTE_US = HOUR_US // 60
BUCKETS = {"5m": 5, "10m": 10, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "3h": 180, "4h": 240, "6h": 360, "8h": 480, "12h": 720}
RULES = {
    LOOK_AHEAD: "looks ahead",
    HIGHER_TIMEFRAMES: "sees a bar of a higher timeframe before it is closed",
    WARM_UP: "needs a longer warm-up than it declares",
    LIVE_WINDOW: "would say something else live",
    DETERMINISM: "is not deterministic",
    STATE: "keeps something from one call to the next",
    OWN_DATA: "looks at something else than its candles",
}
NEXT_STEP = {
    LOOK_AHEAD: "use only a bar and those before it",
    HIGHER_TIMEFRAMES: "use only bars that are closed: shift them by one before they are spread over the bars below",
    WARM_UP: "declare the warm-up it needs",
    LIVE_WINDOW: "declare the warm-up it needs",
    DETERMINISM: "compute from the candles and the parameters alone; after an update of a library it uses, empty SPTRADER_COMPONENT_CACHE",
    STATE: "keep nothing outside the method",
    OWN_DATA: "compute from the candles it is given, and read no file, clock or server",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of one component: `is_honest` of None means that it could not be judged. Bars count from 0, sentences from 1."""

    check: str
    is_honest: bool | None
    text: str
    output: str = ""
    bar: int | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """All checks of one component with one set of parameters on one series."""

    spec: ComponentSpec
    findings: tuple[Finding, ...]
    coverage: str

    @property
    def is_honest(self) -> bool:
        return not self.failures

    @property
    def failures(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.is_honest is False)

    def sentences(self) -> tuple[str, ...]:
        """One for each failure, with the component, its line and the next step."""
        spec = self.spec
        return tuple(f"{spec.source}:{it.line}: {spec.dotted} {RULES[it.check]}: {it.text}; {NEXT_STEP[it.check]}" for it in self.failures)


@dataclass(frozen=True, slots=True)
class _Broken:
    """A comparison and how it failed: a difference, or the error that the changed candles led to."""

    comparison: Comparison
    found: Difference | ComponentError


def judge(spec: ComponentSpec, candles: Candles, plan: Plan, answers: Sequence[Answer]) -> Verdict:
    return _Judge(spec, candles, plan, answers).verdict()


class _Judge:
    def __init__(self, spec: ComponentSpec, candles: Candles, plan: Plan, answers: Sequence[Answer]) -> None:
        self._spec, self._candles, self._plan, self._answers = spec, candles, plan, answers

    def verdict(self) -> Verdict:
        findings = {finding.check: finding for finding in self._of_repeats()}
        if all(finding.is_honest for finding in findings.values()):
            broken = {check: self._broken(check) for check in CHECKS}
            findings |= {it.check: it for it in self._of_future(broken[LOOK_AHEAD])}
            findings[OWN_DATA] = self._of_own_data(broken[OWN_DATA])
            for check in (WARM_UP, LIVE_WINDOW):
                if all(finding.is_honest is not False for finding in findings.values()):
                    findings[check] = self._of_past(check, broken[check])
        # What fails one check fails later ones for the same reason, and would be told twice.
        unjudged = "not judged: mend what is wrong above first"
        return Verdict(self._spec, tuple(findings.get(check) or Finding(check, None, unjudged) for check in CHECKS), self._coverage())

    def _coverage(self) -> str:
        bars, covered = len(self._candles), sum(last - first for first, last in self._plan.stretches)
        if len(self._plan.stretches) == 1 and covered == bars:
            return f"all {bars:,} bars"
        where = ", ".join(f"{first + 1:,} to {last:,}" for first, last in self._plan.stretches)
        return f"bars {where} of {bars:,}, and these against all"

    # Asked again

    def _of_repeats(self) -> tuple[Finding, ...]:
        base, once, again, elsewhere = self._plan.repeats
        later = self._unlike(base, once, "when it is asked again")
        by_history = self._unlike(once, again, "when it is asked again after other candles")
        by_process = self._unlike(once, elsewhere, "when it is asked in another process, after other candles")
        broken = by_history or later or by_process
        if broken is None:
            attempts = len({self._plan.questions[number].attempt for number in self._plan.repeats})
            same = Finding(DETERMINISM, True, f"the same to the bit in {attempts} attempts")
            return same, Finding(STATE, True, "the same before and after other candles")
        # Where an answer also depends on its process, only the source can say which of the two it is.
        if (by_history and not later and not by_process) or suspicious_line(self._spec, STATE):
            return Finding(DETERMINISM, None, "not judged: it keeps something between calls"), self._failure(STATE, [broken])
        return (self._failure(DETERMINISM, [broken]),)

    def _unlike(self, one: int, other: int, when: str) -> _Broken | None:
        first = self._plan.questions[one].first
        return self._compare(Comparison(DETERMINISM, one, other, first, first + len(self._plan.questions[one].candles), when), EXACT)

    # What may not matter

    def _broken(self, check: str) -> list[_Broken]:
        found = (self._compare(item, ROUNDING, texts=check != OWN_DATA) for item in self._plan.comparisons if item.check == check)
        return [item for item in found if item is not None]

    def _compare(self, item: Comparison, tolerance: float, *, texts: bool = True) -> _Broken | None:
        one, other = self._answers[item.one].result, self._answers[item.other].result
        if isinstance(one, ComponentError) or isinstance(other, ComponentError):
            failed = other if isinstance(other, ComponentError) else one
            assert isinstance(failed, ComponentError)
            return _Broken(item, failed)
        ours, theirs = (Placed(result, self._plan.questions[number].first) for result, number in ((one, item.one), (other, item.other)))
        found = difference(ours, theirs, item.low, item.high, tolerance, texts=texts)
        return None if found is None else _Broken(item, found)

    def _of_future(self, broken: Sequence[_Broken]) -> tuple[Finding, Finding]:
        unasked = self._plan.unasked.get(LOOK_AHEAD)
        if unasked:
            return Finding(LOOK_AHEAD, None, unasked), Finding(HIGHER_TIMEFRAMES, None, unasked)
        tried = f"{self._plan.cuts} cuts, the future missing or changed behind each: nothing before them differs"
        if not broken:
            closed = "the cuts inside their bars change nothing before them"
            return Finding(LOOK_AHEAD, True, tried), Finding(HIGHER_TIMEFRAMES, True, closed)
        bucket = self._bucket(broken)
        if bucket:
            failure = self._failure(HIGHER_TIMEFRAMES, broken, f", and every such difference begins with a bar of {bucket}")
            return Finding(LOOK_AHEAD, None, "nothing beyond the higher timeframe"), failure
        return self._failure(LOOK_AHEAD, broken), Finding(HIGHER_TIMEFRAMES, None, "not judged: it looks ahead")

    def _of_own_data(self, broken: Sequence[_Broken]) -> Finding:
        if broken:
            return self._failure(OWN_DATA, broken)
        one, other = (self._answers[number].result for number in (self._plan.repeats[1], self._plan.foreign))
        if isinstance(other, ComponentError):
            return Finding(OWN_DATA, False, f"it fails on candles of another market: {other}", line=likely_line(self._spec, OWN_DATA))
        assert not isinstance(one, ComponentError), "repeats are judged first"
        output = is_same_whatever_it_is_given(one, other)
        if output:
            text = f"output {output} is the same to the bit for candles of other prices and times"
            return Finding(OWN_DATA, False, text, output, line=likely_line(self._spec, OWN_DATA))
        unasked = self._plan.unasked.get(OWN_DATA)
        moved = f"not moved in time: {unasked}" if unasked else "the same 28 years away"
        return Finding(OWN_DATA, True, f"{moved}, another answer for another market")

    def _of_past(self, check: str, broken: Sequence[_Broken]) -> Finding:
        unasked = self._plan.unasked.get(check)
        asked = [item for item in self._plan.comparisons if item.check == check]
        if not asked:
            return Finding(check, None, unasked or "not asked")
        needed = max(self._bars_needed(item) for item in asked)
        if broken:
            more = f"; it needs {needed:,} bars here" if check == WARM_UP else ""
            return self._failure(check, broken, more)
        if check == LIVE_WINDOW:
            return Finding(check, True, f"the same {asked[0].when}")
        starts = len(asked)
        return Finding(
            check, True, f"declared {self._declared(asked[0]):,}, {needed:,} needed here ({starts} other start{'s' if starts > 1 else ''})"
        )

    def _declared(self, item: Comparison) -> int:
        return item.low - self._plan.questions[item.other].first + 1

    def _bars_needed(self, item: Comparison) -> int:
        """Counted from the start of the shorter data: one more than the last bar that differs."""
        first = self._plan.questions[item.other].first
        found = self._compare(Comparison(item.check, item.one, item.other, first, item.high, item.when), ROUNDING)
        return found.found.bars[-1] - first + 2 if found and isinstance(found.found, Difference) else 1

    # Words

    def _failure(self, check: str, broken: Sequence[_Broken], more: str = "") -> Finding:
        """Told by the comparison that differs first."""
        line = likely_line(self._spec, check)
        differing = [(item.found.bar, number) for number, item in enumerate(broken) if isinstance(item.found, Difference)]
        if not differing:
            return Finding(check, False, f"it fails {self._when(broken[0].comparison)}: {broken[0].found}", line=line)
        item = broken[min(differing)[1]]
        found = item.found
        assert isinstance(found, Difference)
        text = f"output {found.output} of bar {self._bar(found.bar)} is {found.seen}, but {found.instead} {self._when(item.comparison)}"
        return Finding(check, False, text + more, found.output, found.bar, line)

    def _when(self, item: Comparison) -> str:
        return item.when if item.cut is None else item.when.format(cut=self._bar(item.cut))

    def _bar(self, bar: int) -> str:
        stamp = np.datetime64(int(self._candles.timestamp[bar]), "us")
        return f"{bar + 1:,} ({np.datetime_as_string(stamp, unit='m').replace('T', ' ')}Z)"

    def _bucket(self, broken: Sequence[_Broken]) -> str | None:
        """The higher timeframe in whose bar every cut lies with the first difference before it; None when they reach out of any."""
        spans = [(it.found.bar, it.comparison.cut) for it in broken if isinstance(it.found, Difference) and it.comparison.cut is not None]
        if len(spans) < max(2, len(broken)) or all(bar == cut - 1 for bar, cut in spans):
            return None
        stamps = self._candles.timestamp
        buckets = {name: stamps // (minutes * MINUTE_US) for name, minutes in BUCKETS.items() if minutes * MINUTE_US > self._candles.bar_us}
        buckets |= {"1d": stamps // DAY_US, "1d of New York": trading_day(stamps), "1w": (stamps - 4 * DAY_US) // (7 * DAY_US)}
        for name, bucket in buckets.items():
            if all(bucket[bar] == bucket[min(cut, len(bucket) - 1)] and (bar == 0 or bucket[bar - 1] != bucket[bar]) for bar, cut in spans):
                return name
        return None
