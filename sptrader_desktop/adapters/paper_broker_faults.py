"""What goes wrong between a paper broker and those it talks to, on purpose and once each: the switchboard of tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast, get_args

from sptrader_desktop.adapters.broker_line_values import BrokerLineError
from sptrader_desktop.adapters.broker_lines import Fault
from sptrader_desktop.core.broker_messages import Place, Transaction, What
from sptrader_desktop.runtime.live.paper_prices import PricedBroker, Trick

TRICKS = get_args(Trick)
PHASES = ("before_accept", "after_accept", "mid_fill")
FIGURES: Mapping[str, Sequence[tuple[str, type]]] = {
    **dict.fromkeys(TRICKS, ()),
    "reject": (("why", str),),
    "no_protect": (("why", str),),
    "drop": (("count", int),),
    "duplicate": (("count", int),),
    "late": (("count", int), ("ms", int)),
    "delay": (("ms", int),),
    "hang": (("ms", int),),
    "disconnect": (("phase", str),),
    "skew": (("ms", int),),
    "trade": (("symbol", str), ("side", int), ("quantity", int)),
}


@dataclass(slots=True)
class Faults:
    """Times are those of the loop, in seconds."""

    late_count: int = 0
    late_s: float = 0.0
    dropped: int = 0
    duplicated: int = 0
    untold_until: float = 0.0
    silent_until: float = 0.0
    phase: str = ""
    skew_us: int = 0
    trades: list[Place] = field(default_factory=list)
    _traded: int = 0

    def arm(self, fault: Fault, broker: PricedBroker, now: float) -> None:
        """BrokerLineError where there is no such fault."""
        wanted, told = FIGURES.get(fault.fault), fault.figures
        if wanted is None or [(name, type(told.get(name))) for name, _ in wanted] != list(wanted) or len(told) != len(wanted):
            raise BrokerLineError(f"fault {fault.fault}: unknown, or not with these figures")
        texts = {name: value for name, value in told.items() if isinstance(value, str)}
        whole = {name: value for name, value in told.items() if isinstance(value, int)}
        if fault.fault in TRICKS:
            broker.trick(cast(Trick, fault.fault), texts.get("why", ""))
        elif fault.fault == "disconnect":
            self._disconnect(texts["phase"])
        elif fault.fault == "trade":
            if abs(whole["side"]) != 1 or whole["quantity"] <= 0:
                raise BrokerLineError("fault trade: side is 1 or -1, and quantity above zero")
            self._traded += 1
            name = f"manual-{broker.n}-{self._traded}"
            self.trades.append(Place(name, texts["symbol"], 0, whole["side"], "market", whole["quantity"], -1, -1, 0, 0))
        else:
            self._between(fault.fault, whole, now)

    def _disconnect(self, phase: str) -> None:
        if phase not in PHASES:
            raise BrokerLineError(f"phase {phase}: none of {', '.join(PHASES)}")
        self.phase = phase

    def _between(self, fault: str, figures: Mapping[str, int], now: float) -> None:
        seconds = figures.get("ms", 0) / 1000
        if fault == "drop":
            self.dropped = figures["count"]
        elif fault == "duplicate":
            self.duplicated = figures["count"]
        elif fault == "late":
            self.late_count, self.late_s = figures["count"], seconds
        elif fault == "delay":
            self.untold_until = now + seconds
        elif fault == "hang":
            self.silent_until = now + seconds
        else:
            self.skew_us = figures["ms"] * 1000

    def skewed(self, told: Sequence[Transaction]) -> list[Transaction]:
        return [replace(item, at=max(0, item.at + self.skew_us)) for item in told] if self.skew_us else list(told)

    def lateness(self) -> float:
        """Of the request that came now."""
        if not self.late_count:
            return 0.0
        self.late_count -= 1
        return self.late_s

    def ends_connection(self, phase: str) -> bool:
        """Once."""
        if self.phase != phase:
            return False
        self.phase = ""
        return True

    def is_mid_fill(self, told: Sequence[Transaction]) -> bool:
        return any(item.what is What.FILLED for item in told) and self.ends_connection("mid_fill")
