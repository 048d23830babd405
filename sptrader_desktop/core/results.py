"""A run as a whole: what was asked, what was found, what came of it. Reports, explanations and stored runs are made from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.metrics import Metrics
from sptrader_desktop.core.rules import EventTable, RuleHits
from sptrader_desktop.core.simulation import Job, Outcome
from sptrader_desktop.core.strategy import Strategy
from sptrader_desktop.core.terms import Terms

Events = Mapping[str, EventTable]


@dataclass(frozen=True, slots=True)
class Request:
    """`traded` in the order in which stages run; `finer` by symbol."""

    strategy: Strategy
    terms: Terms
    traded: tuple[Candles, ...]
    rates: tuple[Candles, ...] = ()
    finer: Mapping[str, Candles] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Band:
    """What the inside of bars may have hidden: total profit if every ambiguous bar took the stop first, and if it took the target first.

    The two are whole runs, so later sizes and limits follow from what came before. `low` and `high` are the smaller and the larger.
    """

    ambiguous_trades: int
    resolved_trades: int
    stop_first: int
    target_first: int

    @property
    def low(self) -> int:
        return min(self.stop_first, self.target_first)

    @property
    def high(self) -> int:
        return max(self.stop_first, self.target_first)


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """Everything a report, an explanation or a stored run is made from; tables stay integer columns."""

    request: Request
    events: tuple[Events, ...]
    hits: tuple[RuleHits, ...]
    job: Job
    outcome: Outcome
    band: Band
    metrics: Metrics
