"""Every error a person can meet, as one tree; the message says what is wrong, where, and what to do.

SptraderError
├── StrategyError     a strategy file is wrong: all its problems at once
├── DataError         candles or rates cannot be trusted or found
├── ComponentError    an indicator or signal failed or answered nonsense
├── MachineError      no room, memory, processes or processor time: nobody's file is at fault
│   └── GivenUpError  a process of ours was started again too often
├── RunError          the run cannot be done exactly: no rate, an overflow, an unknown run
├── BrokerMismatchError  the broker's truth and ours differ: nothing is traded on
├── JournalError      the journal of live trading is not what was written
└── Cancelled         somebody asked for the stop

JournalBroken is no part of it: nothing that catches errors of a person's may catch it.
"""

from dataclasses import dataclass


class SptraderError(Exception):
    """Shown to a person as it stands: one sentence that names the thing, the rule and the next step."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a strategy file. `path` is where in the tree; line and column are known once a reader has mapped them."""

    path: tuple[str | int, ...]
    value: object
    rule: str
    nearest: str | None = None
    line: int | None = None
    column: int | None = None

    def sentence(self) -> str:
        where = ".".join(str(part) for part in self.path) or "file"
        hint = f"; did you mean '{self.nearest}'?" if self.nearest else ""
        shown = "" if self.value is None else f" = {self.value}"
        return f"{where}{shown}: {self.rule}{hint}"


class StrategyError(SptraderError):
    """Edit the file: `problems` lists everything that is wrong with it, in file order."""

    def __init__(self, source: str, problems: tuple[Problem, ...]) -> None:
        self.source = source
        self.problems = problems
        super().__init__("\n".join(self._line(p) for p in problems))

    def _line(self, problem: Problem) -> str:
        at = "" if problem.line is None else f":{problem.line}:{problem.column}"
        return f"{self.source}{at}: {problem.sentence()}"


class DataError(SptraderError):
    """Mend or replace the data: nothing was computed from it."""


class ComponentError(SptraderError):
    """Mend the component: without its values there is no signal and no trade."""


class MachineError(SptraderError):
    """Make room, or try again when the computer has less to do: no strategy, component or data is at fault."""


class RunError(SptraderError):
    """The run was refused because its result could not be exact."""


class GivenUpError(MachineError):
    """Started again too often within a short time: look at its log; nothing is traded until you re-arm."""


class JournalError(SptraderError):
    """Stop, look at the journal, do not trade on: it is damaged, older than it should be, or in use."""


class JournalBroken(BaseException):
    """What was last written may or may not be on the disk: the process has to end at once. The next one reads what is there."""


class Cancelled(SptraderError):
    """The run was stopped on request; nothing was stored."""


class BrokerMismatchError(SptraderError):
    """What the broker says cannot follow from what is known: stop trading, compare, and let a person decide."""
