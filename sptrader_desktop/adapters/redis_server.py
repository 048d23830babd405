"""Which Redis is used: the one that REDIS_URL names, else the program's own. An address that is set and does not answer is an error."""

from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import redis
from redis.backoff import ExponentialBackoff
from redis.connection import parse_url
from redis.exceptions import AuthenticationError, AuthorizationError, BusyLoadingError, RedisError
from redis.retry import Retry

from sptrader_desktop.adapters.embedded_server import ServerInUse, use_server
from sptrader_desktop.adapters.embedded_valkey import find_valkey, valkey_plan, valkey_socket
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.settings import Settings

WAIT_S = 3.0
RETRIES, LONGEST_PAUSE_S, FIRST_PAUSE_S = 10, 0.5, 0.02  # a server that starts again is back within four seconds
OWN = "the program's own Valkey"
UNREADABLE = "REDIS_URL cannot be read: write it like redis://user:password@host:6379/0 or unix:///path, special signs as %XX"

# What an address may say; anything else redis-py would take for a setting of ours, or fail on.
PARTS = {"username", "password", "host", "port", "path", "db", "connection_class"}
TLS_PARTS = {f"ssl_{name}" for name in "ca_certs ca_path cert_reqs certfile keyfile password check_hostname".split()}


@dataclass(frozen=True, slots=True)
class RedisServer:
    """`shown` is for people; the `address` itself may hold a password."""

    client: redis.Redis
    shown: str
    in_use: ServerInUse | None = None
    address: str = field(default="", repr=False)

    def close(self) -> None:
        self.client.close()
        if self.in_use:
            self.in_use.close()


def open_redis(settings: Settings) -> RedisServer:
    if settings.redis_url:
        shown = _shown(settings.redis_url)
        _greet(settings.redis_url, shown)
        return RedisServer(_client(settings.redis_url), shown, address=settings.redis_url)
    binary = find_valkey()
    if binary is None:
        raise DataError("there is no Valkey or Redis on this computer: install one (valkey-server, redis-server) or set REDIS_URL")
    in_use = use_server(valkey_plan(binary, settings.servers, settings.sockets))
    address = f"unix://{quote(str(valkey_socket(settings.servers, settings.sockets)))}"
    return RedisServer(_client(address), OWN, in_use, address)


def redis_told(settings: Settings) -> tuple[str, bool]:
    """What `open_redis` would use, and whether that is well; starts nothing."""
    if not settings.redis_url:
        binary = find_valkey()
        if binary is None:
            return "none, and backtests need none: install valkey-server or redis-server, or set REDIS_URL, to use one", True
        return f"{OWN} ({binary.name} in {binary.parent}), started when needed since REDIS_URL is not set", True
    try:
        server = open_redis(settings)
    except DataError as error:
        return str(error), False
    server.close()
    return f"{server.shown}, since REDIS_URL is set; it answers", True


def _client(url: str) -> redis.Redis:
    retry = Retry(ExponentialBackoff(cap=LONGEST_PAUSE_S, base=FIRST_PAUSE_S), RETRIES)
    return redis.Redis.from_url(
        url, retry=retry, retry_on_error=[BusyLoadingError], socket_timeout=WAIT_S, socket_connect_timeout=WAIT_S, client_name="sptrader"
    )


def _shown(url: str) -> str:
    """Never the text of an address that cannot be read: the password may be anywhere in it."""
    try:
        parts = parse_url(url)  # type: ignore[no-untyped-call]  # the library gives it no types
    except ValueError:
        raise DataError(UNREADABLE) from None
    scheme, _, path, *_ = urlsplit(url)
    unknown = parts.keys() - PARTS - (TLS_PARTS if scheme == "rediss" else set())
    is_named = scheme != "unix" and path.strip("/")  # a database that is no number would silently be the first
    if unknown or (is_named and "db" not in parts) or ("@" in url and not parts.get("password")):
        raise DataError(UNREADABLE)
    return str(parts.get("path") or f"{parts.get('host', 'localhost')}:{parts.get('port', 6379)}")


def _greet(url: str, shown: str) -> None:
    """Once: a person who named a wrong address should not wait for the retries that a starting server deserves."""
    try:
        with redis.Redis.from_url(url, retry=None, socket_timeout=WAIT_S, socket_connect_timeout=WAIT_S) as client:
            client.ping()
    except (AuthenticationError, AuthorizationError):
        raise DataError(f"Redis at {shown} refuses the user or the password: correct REDIS_URL") from None
    except RedisError as error:
        hint = "start it, or unset REDIS_URL to use the program's own"
        raise DataError(f"Redis at {shown} does not answer ({type(error).__name__}): {hint}") from None
