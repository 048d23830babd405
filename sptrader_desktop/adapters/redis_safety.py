"""Whether a Redis keeps what it has taken: nothing is traded live on one that may throw a signal away unread."""

from collections.abc import Mapping
from typing import Any

from redis.exceptions import RedisError

from sptrader_desktop.adapters.redis_server import RedisServer
from sptrader_desktop.core.errors import DataError

OLDEST = 7
FULL, WELL = 0.9, 0.8  # of its memory: from the first on it is told, below the second it may be told again


def fault_in(info: Mapping[str, Any]) -> str:
    """Which setting loses signals, why, and what to do; nothing where all is well. `info` is what INFO says."""
    version, policy = str(info.get("redis_version", "0")), str(info.get("maxmemory_policy", "unknown"))
    if not version.partition(".")[0].isdigit() or int(version.partition(".")[0]) < OLDEST:
        return f"it is version {version}, which does not count what it throws away: use Redis {OLDEST} or newer, or Valkey"
    if policy != "noeviction":
        return f"maxmemory-policy is {policy}, which throws signals away when memory is full: set it to noeviction"
    if str(info.get("aof_enabled", "0")) != "1":
        return "it writes no append-only file, so that a restart forgets signals: set appendonly to yes"
    return ""


def fullness(info: Mapping[str, Any]) -> float:
    """Of its memory; 0 where it is not bounded."""
    bound = int(info.get("maxmemory", 0))
    return int(info.get("used_memory", 0)) / bound if bound else 0.0


def refuse_unsafe(server: RedisServer) -> None:
    client: Any = server.client
    try:
        fault = fault_in(client.info())
    except RedisError as error:
        raise DataError(f"Redis at {server.shown} does not say how it is set up ({error}): allow this user INFO") from None
    if fault:
        raise DataError(f"Redis at {server.shown} cannot be used for live trading: {fault}")
