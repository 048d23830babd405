"""How a run was asked for: enough to ask for it again. Paths are absolute, numbers exact texts; it is stored with the run as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from sptrader_desktop.core.errors import RunError


@dataclass(frozen=True, slots=True)
class Recipe:
    """Candles come from the files `data`, or from `source` by `symbols` and `timeframe`; with `resample` longer ones made of them are
    run. `params` are `name=value` overrides;
    `commission` as in `--commission`; empty texts and tuples mean: not given."""

    strategy: str
    data: tuple[str, ...] = ()
    symbol: str = ""
    source: str = ""
    symbols: tuple[str, ...] = ()
    timeframe: str = ""
    resample: str = ""
    start: str = ""
    end: str = ""
    ask: tuple[str, ...] = ()
    finer: tuple[str, ...] = ()
    finer_ask: tuple[str, ...] = ()
    rates: tuple[str, ...] = ()
    instruments: str = ""
    financing: str = ""
    params: tuple[str, ...] = ()
    capital: str = "10000"
    currency: str = "USD"
    fill: str = "next_open"
    intrabar: str = "stop_first"
    spread: str = "0"
    slippage: str = "0"
    commission: str = ""
    leverage: str = "30"

    def as_json(self) -> dict[str, Any]:
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Recipe":
        unknown = set(stored) - {item.name for item in fields(cls)}
        if unknown:
            raise RunError(
                f"the stored run was asked for with {', '.join(sorted(unknown))}, which this version does not know: update sptrader"
            )
        values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}
        return cls(**values)
