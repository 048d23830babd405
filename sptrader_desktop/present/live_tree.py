"""How a live session is, as a tree: the account, its symbols with their services, and what it is connected to."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sptrader_desktop.present.live_view import WORDS, age_text, micros
from sptrader_desktop.present.numbers import NONE, duration

State = Mapping[str, Any]
TONES = {
    "running": "up",
    "up": "up",
    "paused": "warning",
    "close_only": "warning",
    "starting": "warning",
    "initializing": "warning",
    "recovering": "warning",
    "stopping": "warning",
    "full": "danger",
    "down": "danger",
    "error": "danger",
    "halted": "danger",
    "stopped": "danger",
}
COLUMNS = ("Name", "State", "", "Restarts", "Errors", "Idle", "Up")


@dataclass(frozen=True, slots=True)
class Row:
    """`about` is what a restart of it is asked by; nothing where it cannot be restarted. `active` in microseconds, if it ever was."""

    key: str
    parent: str
    name: str
    state: str
    tone: str
    restarts: str = ""
    errors: str = ""
    active: int | None = None
    up: str = ""
    why: str = ""
    about: str = ""

    def texts(self, now: int) -> tuple[str, ...]:
        active = NONE if self.active is None else age_text(now - self.active)
        return (self.name, self.state, "", self.restarts, self.errors, active if self.is_service else "", self.up)

    @property
    def is_service(self) -> bool:
        return " " in self.about


def rows(state: State) -> Iterator[Row]:
    """Parents before their children."""
    account = f"{state['account']['name']} account"
    word = str(WORDS.get(state["state"], state["state"]))
    yield Row("account", "", account, word, TONES.get(state["state"], ""), why=state["reason"])
    for health in state["services"]:
        symbol = health["symbol"]
        healthy = f"{health['state']} {health['healthy_services']}/{health['total_services']}"
        tone = TONES.get(health["state"], "") if health["is_healthy"] or health["state"] != "running" else "danger"
        yield Row(symbol, "account", symbol, healthy, tone, up=_up(health["uptime"]), why=health.get("reason", ""), about=symbol)
        for service in health["services"]:
            yield _service(symbol, service)
    yield Row("connections", "", "Connections", "", "")
    for item in state["connections"]:
        yield Row(
            f"connections {item['name']}",
            "connections",
            item["name"][:1].upper() + item["name"][1:],
            item["state"],
            TONES.get(item["state"], ""),
            why=item["why"],
        )


def _service(symbol: str, told: Mapping[str, Any]) -> Row:
    name = told["service_name"]
    return Row(
        f"{symbol} {name}",
        symbol,
        service_title(name),
        told["state"],
        TONES.get(told["state"], ""),
        str(told.get("restarts", "")),
        str(told["error_count"]),
        micros(told["active_at"]) if told.get("active_at") else None,
        _up(told["uptime"]),
        told.get("last_error", ""),
        f"{symbol} {name}",
    )


def service_title(name: str) -> str:
    """`DataFetchingService` is called data fetching."""
    return re.sub("(?<!^)([A-Z])", r" \1", name.removesuffix("Service")).capitalize()


def _up(seconds: int) -> str:
    return f"{seconds} s" if seconds < 60 else duration(seconds / 3600)
