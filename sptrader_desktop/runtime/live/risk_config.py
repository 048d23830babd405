"""The limits of `services.yaml`: of the account, of each symbol, and of symbols by name; and the tree that they come to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from difflib import get_close_matches
from typing import Literal

from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.money import fixed
from sptrader_desktop.core.risk_tree import WHOLE, NodeLimits
from sptrader_desktop.core.strategy_fields import Section, Span

OnBreach = Literal["close_only", "flatten"]
ON_BREACH: tuple[OnBreach, ...] = ("close_only", "flatten")
MONEY = Span(Decimal(0), Decimal(10**9))
MOST_POSITIONS, MOST_ORDERS = 500, 100_000


@dataclass(frozen=True, slots=True)
class NodeRisk:
    """Money in the account's currency; None is no limit."""

    max_daily_loss: Decimal | None = None
    max_drawdown: Decimal | None = None
    max_exposure: Decimal | None = None
    max_margin: Decimal | None = None
    max_positions: int | None = None
    max_orders_per_minute: int | None = None
    on_breach: OnBreach = "close_only"


@dataclass(frozen=True, slots=True)
class RiskConfig:
    """A symbol of `symbols` has what `each_symbol` says too, where it says nothing itself."""

    account: NodeRisk = NodeRisk()
    each_symbol: NodeRisk = NodeRisk()
    symbols: Mapping[str, NodeRisk] = field(default_factory=dict)

    def of(self, symbol: str) -> NodeRisk:
        return self.symbols.get(symbol, self.each_symbol)


KEYS = tuple(of.name for of in fields(NodeRisk))


def risk_of(at: Section) -> RiskConfig:
    each = _node(at.or_empty("each_symbol").section(*KEYS), NodeRisk())
    named = {symbol: _node(found.section(*KEYS), each) for symbol, found in at.or_empty("symbols").entries().items()}
    return RiskConfig(_node(at.or_empty("account").section(*KEYS), NodeRisk()), each, named)


def _node(at: Section, given: NodeRisk) -> NodeRisk:
    breach = at.get("on_breach")
    return NodeRisk(
        _money(at, "max_daily_loss", given.max_daily_loss),
        _money(at, "max_drawdown", given.max_drawdown),
        _money(at, "max_exposure", given.max_exposure),
        _money(at, "max_margin", given.max_margin),
        _whole(at, "max_positions", given.max_positions, 0, MOST_POSITIONS),
        _whole(at, "max_orders_per_minute", given.max_orders_per_minute, 1, MOST_ORDERS),
        given.on_breach if breach is None else breach.word(ON_BREACH),
    )


def _money(at: Section, key: str, given: Decimal | None) -> Decimal | None:
    found = at.get(key)
    return given if found is None else found.number(MONEY)


def _whole(at: Section, key: str, given: int | None, low: int, high: int) -> int | None:
    found = at.get(key)
    return given if found is None else found.integer(low, high)


def limits_of(config: RiskConfig, traded: Iterable[str], known: Iterable[str]) -> tuple[NodeLimits, ...]:
    """Of a session that trades these symbols. A limit of what nobody knows would never be met: RunError names it."""
    names = set(known)
    for symbol in config.symbols:
        if symbol not in names:
            near = get_close_matches(symbol, names, 1)
            raise RunError(
                f"services.yaml: risk.symbols.{symbol} is not a known instrument, so its limits would hold for nothing"
                + (f"; did you mean {near[0]}?" if near else ": correct it or take it out")
            )
    found = [(WHOLE, config.account), *((symbol, config.of(symbol)) for symbol in traded)]
    return tuple(limits for scope, node in found if (limits := _limits(scope, node)) != NodeLimits(scope, flattens=limits.flattens))


def _limits(scope: str, node: NodeRisk) -> NodeLimits:
    money = [node.max_daily_loss, node.max_drawdown, node.max_exposure, node.max_margin]
    loss, drawdown, exposure, margin = (None if value is None else fixed(value) for value in money)
    counts = node.max_positions, node.max_orders_per_minute
    return NodeLimits(scope, loss, drawdown, exposure, margin, *counts, node.on_breach == "flatten")
