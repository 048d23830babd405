"""One live session to a database of Redis: its connections say whose they are, and a second session sees them at its start.

A connection ends with its process, however that ends: nothing is left behind that would refuse anybody.
"""

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import redis
from redis.exceptions import RedisError, ResponseError

from sptrader_desktop.adapters.redis_server import WAIT_S, RedisServer
from sptrader_desktop.core.errors import DataError

PREFIX = "sptrader-live@"
LOOKS, APART_S = 5, 0.2  # one that is ending just now is gone by the last
OWN_REDIS = (
    "end it, or give this one a Redis of its own: another server or another database by REDIS_URL, such as redis://host:6379/1, or "
    "another of the program's by SPTRADER_SERVERS"
)


def session_name(folder: Path) -> str:
    """The name of connections of the session in that live folder: the computer and the folder, without a blank."""
    return f"{PREFIX}{quote(platform.node(), safe='')}@{quote(os.fsencode(folder.resolve()))}"


class SessionClaim:
    """A named connection from before the first look to the end of the session; DataError where an older one of another session is there."""

    def __init__(self, server: RedisServer, folder: Path, told: Callable[[str], object]) -> None:
        self._server, self._name = server, session_name(folder)
        options: Any = {"socket_timeout": WAIT_S, "socket_connect_timeout": WAIT_S, "retry": None, "client_name": self._name}
        self._client: Any = redis.Redis.from_url(server.address, **options)  # asked by one alone, it keeps to one connection
        try:
            self._refuse_second()
        except ResponseError as error:
            told(f"Redis at {server.shown} does not say who is connected ({error}): see to it that no other session trades on its database")
        except RedisError as error:
            self.close()
            raise DataError(f"Redis at {server.shown} does not answer ({error}): start the session again") from None
        except DataError:
            self.close()
            raise

    def close(self) -> None:
        self._client.close()

    def _refuse_second(self) -> None:
        for left in reversed(range(LOOKS)):
            other = self._other()
            if other is None:
                return
            if not left:
                raise DataError(self._taken_by(other))
            time.sleep(APART_S)

    def _taken_by(self, other: Mapping[str, str]) -> str:
        _, computer, folder = (unquote(part) for part in other["name"].split("@", 2))
        where = folder if computer == platform.node() else f"{folder} on {computer}"
        return (
            f"the live session in {where} has database {other['db']} of Redis at {self._server.shown}, and each would take the other's "
            f"signals: {OWN_REDIS}"
        )

    def _other(self) -> Mapping[str, str] | None:
        """Of two that begin at once the one that came first sees none."""
        number: int = self._client.client_id()
        connected: Sequence[Mapping[str, str]] = self._client.client_list()
        own = next((each for each in connected if int(each["id"]) == number), None)
        if own is None:
            raise ResponseError("CLIENT LIST lacks this connection")
        sessions = (
            each for each in connected if each["name"].startswith(PREFIX) and each["name"].count("@") == 2 and each["name"] != self._name
        )
        return next((each for each in sessions if each["db"] == own["db"] and int(each["id"]) < number), None)
