"""Plain data that remembers where each key and value stood, so that a problem known by its path gets a line and a column."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sptrader_desktop.core.errors import Problem
from sptrader_desktop.core.strategy_fields import Path, Plain

Position = tuple[int, int]


@dataclass(slots=True)
class MarkedData:
    """Lines and columns count from 1. An entry of a list has its start as its key. `spans`: the characters of each scalar."""

    data: Plain = None
    keys: dict[Path, Position] = field(default_factory=dict)
    values: dict[Path, Position] = field(default_factory=dict)
    spans: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def placed(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """In the order of the file; those that have a place keep it."""
        placed = [problem if problem.line is not None else self._place(problem) for problem in problems]
        return tuple(sorted(placed, key=lambda problem: (problem.line or 0, problem.column or 0)))

    def _place(self, problem: Problem) -> Problem:
        """At the value where a value is quoted, else at the key, and for what is missing at the key of what lacks it."""
        path = problem.path
        found = self.values.get(path) if problem.value is not None else None
        while found is None and path and path not in self.keys:
            path = path[:-1]
        line, column = found or self.keys.get(path, (1, 1))
        return replace(problem, line=line, column=column)
