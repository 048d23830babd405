"""Is a component's answer worth trading on? Every component of a run is tried, and none that is dishonest is let through.

Nothing here runs a component: it is asked through the port again and again, about candles changed on purpose.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.components import Catalogue, ComponentSpec
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.core.strategy import Scalar, Strategy
from sptrader_desktop.ports import Answer, ComponentJob, ComponentRunner, Values
from sptrader_desktop.runtime.honesty_judge import Verdict, judge
from sptrader_desktop.runtime.honesty_memory import HonestyMemory, answer_hash
from sptrader_desktop.runtime.honesty_plan import make_plan

ALL = "all"


@dataclass(frozen=True, slots=True)
class Subject:
    """A component with the parameters it is given."""

    spec: ComponentSpec
    params: Mapping[str, Scalar]

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value}" for name, value in self.params.items())
        return f"{self.spec.dotted}({given})" if given else self.spec.dotted

    def job(self, candles: Candles, attempt: int = 0) -> ComponentJob:
        return ComponentJob(self.spec.dotted, self.params, candles, attempt)


def with_indicators(subject: Subject, catalogue: Catalogue) -> Iterator[Subject]:
    """What a signal requires comes before it: an indicator that is dishonest makes dishonest signals."""
    for required in subject.spec.required_indicators:
        indicator = catalogue.indicator(required.type)
        yield Subject(indicator, indicator.given(subject.spec.indicator_params(required, subject.params)))
    yield subject


def chosen(catalogue: Catalogue, name: str, params: Mapping[str, Scalar]) -> list[Subject]:
    """The component of that name, short or full, behind the indicators it requires; or `all` there are, with their defaults."""
    if name == ALL:
        if params:
            raise ComponentError(f"{', '.join(params)}: parameters belong to one component, name it instead of {ALL}")
        return [Subject(spec, {}) for spec in catalogue.found.values() if isinstance(spec, ComponentSpec)]
    spec = catalogue.named(name)
    for key, value in params.items():
        accepts = spec.parameters.get(key)
        fault = accepts.fault(value) if accepts else f"is no parameter of {spec.dotted}, it has {', '.join(spec.parameters) or 'none'}"
        if fault:
            raise ComponentError(f"{key} = {value}: {fault}")
    return [*with_indicators(Subject(spec, params), catalogue)]


def examine(subjects: Sequence[Subject], candles: Candles, runner: ComponentRunner) -> list[Verdict]:
    """Two batches, whatever the number of subjects: the data as it is, then everything else side by side."""
    if not len(candles):
        raise ComponentError("there are no candles to try a component on: choose data with bars")
    bases = runner.run([subject.job(candles) for subject in subjects])
    plans = [make_plan(candles, _believed(base), _warm_up(subject)) for subject, base in zip(subjects, bases, strict=True)]
    jobs = [
        ComponentJob(subject.spec.dotted, subject.params, question.candles, question.attempt)
        for subject, plan in zip(subjects, plans, strict=True)
        for question in plan.questions[1:]
    ]
    answers = iter(runner.run(jobs))
    return [
        judge(subject.spec, candles, plan, [base, *(next(answers) for _ in plan.questions[1:])])
        for subject, base, plan in zip(subjects, bases, plans, strict=True)
    ]


def _warm_up(subject: Subject) -> int | None:
    spec = subject.spec
    try:
        return spec.bars_needed(subject.params)
    except ValueError as error:
        raise ComponentError(f"{spec.source}:{spec.line}: warm_up {spec.warm_up}: {error}; give such a parameter a whole number") from error


def _believed(answer: Answer) -> EventTable | Values:
    if isinstance(answer.result, ComponentError):
        raise answer.result
    return answer.result


class HonestyGate:
    """Lets a run pass, or says everything that is wrong with its components. What was found honest once is not tried again."""

    def __init__(self, catalogue: Catalogue, runner: ComponentRunner, memory: HonestyMemory) -> None:
        self._catalogue, self._runner, self._memory = catalogue, runner, memory

    def require(self, strategy: Strategy, traded: Sequence[Candles]) -> None:
        faults = [fault for candles in traded for fault in self._faults(strategy, candles)]
        if faults:
            raise ComponentError("\n".join(dict.fromkeys(faults)))

    def _faults(self, strategy: Strategy, candles: Candles) -> list[str]:
        signals = [Subject(self._catalogue.signal(use.component), use.params) for use in strategy.signals]
        subjects: dict[str, Subject] = {}
        for subject in (one for signal in signals for one in with_indicators(signal, self._catalogue)):
            given = sorted(subject.spec.given(subject.params).items())
            subjects[f"{subject.spec.dotted} {given}"] = subject
        unknown = [subject for subject in subjects.values() if self._memory.answer(self._key(subject, candles)) is None]
        verdicts = examine(unknown, candles, self._runner) if unknown else []
        known = [subject for subject in signals if not any(subject is one for one in unknown)]
        faults = [sentence for verdict in verdicts for sentence in verdict.sentences()] + self._changed(known, candles)
        for subject, verdict in zip(unknown, verdicts, strict=True):
            if verdict.is_honest:
                self._remember(subject, candles)
        return faults

    def tried(self, subject: Subject, candles: Candles) -> Verdict | ComponentError:
        """Whatever is remembered: tried again, and remembered anew."""
        try:
            (verdict,) = examine([subject], candles, self._runner)
        except ComponentError as error:
            return error
        if verdict.is_honest:
            self._remember(subject, candles)
        return verdict

    def _changed(self, known: Sequence[Subject], candles: Candles) -> list[str]:
        """Two attempts at different times: the answer of today against the one that was found honest."""
        answers = self._runner.run([subject.job(candles) for subject in known])
        return [
            f"{subject.spec.source}:{subject.spec.line}: {subject.spec.dotted} no longer answers as when it was found honest on this data:"
            f" look for a clock or a file, or a library whose files were changed without a new version"
            for subject, answer in zip(known, answers, strict=True)
            if answer_hash(_believed(answer)) != self._memory.answer(self._key(subject, candles))
        ]

    def _remember(self, subject: Subject, candles: Candles) -> None:
        key = self._key(subject, candles)
        if key is not None:
            (answer,) = self._runner.run([subject.job(candles)])
            self._memory.keep(key, subject.spec, answer_hash(_believed(answer)))

    def _key(self, subject: Subject, candles: Candles) -> str | None:
        return self._memory.key(subject.spec, subject.params, self._runner.fingerprint(subject.spec.dotted), candles)
