"""Asking other people's servers politely: one request at a time, with a pause, patience when they are busy, and bounds on what is taken.

What may pass (timeouts, lost connections, 429 and 5xx) is tried again, as late as the server asks. What remains is a DataError that
names the address and the next step; a password in an address is never shown.
"""

import time
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType

import httpx

from sptrader_desktop.core.errors import DataError

_PASSING = {408, 425, 429, 500, 502, 503, 504}
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 60.0
_SLOWEST = 10  # timeouts that one answer may take when its parts keep dripping in
_AGENT = "sptrader-desktop (history download)"


@dataclass(frozen=True, slots=True)
class Patience:
    """`pause` between requests and `timeout` of one, in seconds; `tries` of one request; `most` bytes of one answer, unpacked."""

    pause: float = 0.0
    timeout: float = 30.0
    tries: int = 6
    most: int = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


# Raises ValueError when an answer came damaged and is worth another try.
Check = Callable[[Reply], None]


def _anything(_: Reply) -> None:
    pass


class _PassingError(Exception):
    def __init__(self, what: str, wait: float | None = None) -> None:
        super().__init__(what)
        self.wait = wait


class HttpFetcher:
    """`sleep` may raise to give up in the middle of a wait."""

    def __init__(self, patience: Patience, sleep: Callable[[float], None] = time.sleep) -> None:
        self._patience, self._sleep, self._rested_at = patience, sleep, 0.0
        self._client = httpx.Client(timeout=patience.timeout, follow_redirects=True, headers={"User-Agent": _AGENT})

    def __enter__(self) -> "HttpFetcher":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    def get(self, url: str, params: Mapping[str, str] | None = None, wanted: Collection[int] = (200,), check: Check = _anything) -> Reply:
        return self._asked(lambda: self._client.build_request("GET", url, params=params), wanted, check)

    def post(self, url: str, form: Mapping[str, str], referer: str, check: Check = _anything) -> Reply:
        return self._asked(lambda: self._client.build_request("POST", url, data=form, headers={"Referer": referer}), (200,), check)

    def _asked(self, build: Callable[[], httpx.Request], wanted: Collection[int], check: Check) -> Reply:
        try:
            request = build()
        except (httpx.InvalidURL, ValueError) as error:
            raise DataError(f"this is not an address that can be asked ({error}): write it like https://host/path") from None
        shown = shown_url(request.url)
        for tried in range(1, self._patience.tries + 1):
            try:
                reply = self._once(request)
                check(reply)
            except (_PassingError, ValueError) as passing:
                wished = passing.wait if isinstance(passing, _PassingError) else None
                wait = _backoff(tried) if wished is None else wished
                if tried == self._patience.tries or wait > _LONGEST_WAIT:
                    raise _given_up(shown, str(passing), tried, wait) from None
                self._sleep(wait)
                continue
            if reply.status not in wanted:
                raise DataError(f"{shown}: the server answered {reply.status}: {_remedy(reply.status)}")
            return reply
        raise AssertionError("at least one try")

    def _once(self, request: httpx.Request) -> Reply:
        self._rest()
        try:
            with closing(self._client.send(request, stream=True)) as response:
                if response.status_code in _PASSING:
                    raise _PassingError(f"the server answered {response.status_code}", _asked_wait(response.headers.get("Retry-After")))
                return Reply(response.status_code, self._body(response), response.headers)
        except httpx.UnsupportedProtocol as error:
            raise DataError(f"{shown_url(request.url)}: {error}: write the address with http:// or https://") from None
        except httpx.TooManyRedirects:
            raise DataError(f"{shown_url(request.url)}: it redirects in a circle: check the address") from None
        except httpx.DecodingError as error:
            raise _PassingError(f"the answer cannot be unpacked ({error})") from None
        except httpx.TransportError as error:
            raise _PassingError(f"{type(error).__name__}: {error}".rstrip(": ")) from None

    def _body(self, response: httpx.Response) -> bytes:
        body, patient_until = bytearray(), time.monotonic() + _SLOWEST * self._patience.timeout
        for part in response.iter_bytes():
            body += part
            if time.monotonic() > patient_until:
                raise _PassingError("the answer comes too slowly")
            if len(body) > self._patience.most:
                most = self._patience.most // 1024**2
                raise DataError(f"{shown_url(response.url)}: its answer is larger than {most} MiB: ask for a shorter range")
        return bytes(body)

    def _rest(self) -> None:
        left = self._rested_at - time.monotonic()
        if left > 0:
            self._sleep(left)
        self._rested_at = time.monotonic() + self._patience.pause


def shown_url(url: httpx.URL) -> str:
    """Without who is asking."""
    return str(url.copy_with(userinfo=b""))


def _backoff(tried: int) -> float:
    return min(_FIRST_WAIT * 2.0 ** (tried - 1), _LONGEST_WAIT)


def _asked_wait(header: str | None) -> float | None:
    """Seconds, or a date; what is neither is no wish."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())


def _given_up(shown: str, what: str, tried: int, wait: float) -> DataError:
    if wait > _LONGEST_WAIT:
        return DataError(f"{shown}: {what} and asks to come back in {wait:.0f} s: try again then")
    return DataError(f"{shown}: no answer after {tried} tries ({what}): check the connection and try again later")


def _remedy(status: int) -> str:
    if status in (401, 403):
        return "it wants other credentials, check them in its address"
    if status in (404, 410):
        return "it does not have this, check the address, symbol and range"
    return "check the address and what is asked for"
