"""Requests to addresses that others name: guarded, bounded in time and size, and with nothing taken from the environment.

Below httpx2, on its own connection pool: there are no proxies, redirects, cookies or decompression to be switched off.
"""

import select
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from threading import local
from typing import Any

from core.egress import Late, Policy, Refused, checked_addresses, parse

PIECE = 65_536
CONNECT = 5.0  # seconds for looking the name up, connecting and agreeing on TLS, each
IDLE = 30.0  # seconds that a connection is kept; then the name is looked up anew
CONNECTIONS, IDLE_CONNECTIONS = 200, 50


class Failed(Exception):
    """No answer; the text says to a person why."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # names in small letters
    body: bytes  # its beginning
    is_whole: bool = True  # unless it was too long, or broke off


class Outbound:
    """One for each process and purpose; threads share its connections. `policy` is asked for each new one."""

    def __init__(self, policy: Callable[[], Policy], *, ca_file: str = "") -> None:
        self._guard = _Guard(policy)
        self._ca_file = ca_file

    @cached_property
    def _pool(self) -> Any:
        import httpcore2  # noqa: PLC0415  # takes half a second, which most processes never need

        if self._ca_file:
            tls = ssl.create_default_context(cafile=self._ca_file)
        else:
            tls = httpcore2.default_ssl_context(_trust_env=False)
        return httpcore2.ConnectionPool(
            ssl_context=tls,
            network_backend=self._guard,  # type: ignore[arg-type]  # has the shape: the class would cost the import above
            max_connections=CONNECTIONS,
            max_keepalive_connections=IDLE_CONNECTIONS, keepalive_expiry=IDLE,
        )  # fmt: skip

    def prepare(self) -> None:
        """What takes half a second the first time, and is no part of anybody's answer."""
        self._pool  # noqa: B018

    def get(self, url: str, *, headers: Mapping[str, str], within: float, at_most: int) -> Answer:
        """As `post`."""
        return self._ask("GET", url, None, headers, within, at_most)

    def post(self, url: str, *, content: bytes, headers: Mapping[str, str], within: float, at_most: int) -> Answer:
        """`within` seconds for all of it; of the answer's body no more than `at_most` bytes are read.

        Raises Refused for an address that may not be reached, Failed where no answer came.
        """
        return self._ask("POST", url, content, headers, within, at_most)

    def _ask(
        self, method: str, url: str, content: bytes | None, headers: Mapping[str, str], within: float, at_most: int,
    ) -> Answer:
        import httpcore2  # noqa: PLC0415  # see above

        target = parse(url)
        host = f"[{target.host}]" if ":" in target.host else target.host
        default = {"https": 443, "http": 80}[target.scheme] == target.port
        length = {} if content is None else {"content-length": str(len(content))}
        sent = {"host": host if default else f"{host}:{target.port}", **length, **headers}
        pool = self._pool
        _clock.ends = time.monotonic() + within
        _clock.plain = target.is_plain
        limits = {"connect": min(CONNECT, within), "read": within, "write": within, "pool": within}
        try:
            address = httpcore2.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
            with pool.stream(method, address, headers=sent, content=content, extensions={"timeout": limits}) as response:
                answered = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                return Answer(response.status, answered, *_beginning(response, at_most))
        except Late as error:
            raise Failed(str(error)) from error
        except (TimeoutError, httpcore2.TimeoutException) as error:
            raise Failed(f"No answer within {within:g} seconds.") from error
        except ssl.SSLError as error:
            raise Failed(f"TLS failed: {getattr(error, 'verify_message', '') or error.reason or error}.") from error
        except (OSError, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            raise Failed(_said(error)) from error


def _beginning(response: Any, at_most: int) -> tuple[bytes, bool]:
    """And whether it is all of it. The status has been said: a body that breaks off raises nothing. One that was not read to
    its end is closed with its connection.
    """
    import httpcore2  # noqa: PLC0415  # see above

    body = b""
    with suppress(OSError, httpcore2.NetworkError, httpcore2.ProtocolError):
        for part in response.iter_stream():
            body += part
            if len(body) > at_most:
                break
        else:
            return body, True
    return body[:at_most], False


def _said(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "The connection was refused."
    return str(error) or "The connection was closed without an answer."


class _Clock(local):
    """When the request of this thread ends. A receiver that sends a byte now and then never meets a socket's own time-out."""

    ends = 0.0
    plain = False

    def left(self) -> float:
        if (left := self.ends - time.monotonic()) <= 0:
            raise TimeoutError
        return left


_clock = _Clock()


class _Guard:
    """A network backend of httpcore2."""

    def __init__(self, policy: Callable[[], Policy]) -> None:
        self.policy = policy

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> "_Stream":
        most = min(timeout or CONNECT, _clock.left())
        addresses = checked_addresses(host, port, self.policy(), plain=_clock.plain, within=most)
        until = time.monotonic() + min(most, _clock.left())
        for number, address in enumerate(addresses, 1):
            share = (until - time.monotonic()) / (len(addresses) - number + 1)
            try:
                return _Stream(_connected(address, port, max(share, 0.05)))
            except OSError as error:
                failure = error
        if isinstance(failure, TimeoutError):
            raise Late(f"{host} did not accept a connection within {most:.0f} seconds.") from failure
        raise failure

    def connect_unix_socket(self, *args: Any, **options: Any) -> Any:
        raise Refused("Sockets of this machine are not reached.")

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def _connected(address: str, port: int, within: float) -> socket.socket:
    """An address, never a name: nothing is looked up here."""
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.settimeout(within)
        made.connect((address, port))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        made.close()
        raise
    return made


class _Stream:
    """A network stream of httpcore2 that keeps to the thread's clock."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.sock.settimeout(_clock.left())
        return self.sock.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        view = memoryview(buffer)
        while view:
            self.sock.settimeout(_clock.left())
            view = view[self.sock.send(view[:PIECE]) :]

    def close(self) -> None:
        self.sock.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None,
    ) -> "_Stream":
        try:
            self.sock.settimeout(min(timeout or CONNECT, _clock.left()))
            return _Stream(ssl_context.wrap_socket(self.sock, server_hostname=server_hostname))
        except BaseException:
            self.close()
            raise

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return _is_readable(self.sock)
        return self.sock if info == "socket" else None


def _is_readable(sock: socket.socket) -> bool:
    """Of an idle connection: its other end has closed it."""
    if sock.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return bool(poll.poll(0))
