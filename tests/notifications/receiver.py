"""A receiver of webhooks, or an API of somebody else: a real server on loopback that answers as it is told and remembers what
it was sent.
"""

import json
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    path: str
    headers: Mapping[str, str]  # names in small letters
    body: bytes

    @property
    def id(self) -> str:
        return self.headers.get("webhook-id", "")

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    drops: bool = False  # closes the connection without an answer
    hangs: bool = False  # until the receiver is released
    drips: bool = False  # a byte of an endless header now and then, until the receiver is released


class Receiver:
    """Answers with `replies` in turn, then as `answer` says, then with 204. `answer` may return None."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.replies: deque[Reply] = deque()
        self.answer: Callable[[Received], Reply | None] = lambda request: None
        self.released = threading.Event()
        self.connections = 0
        self._lock = threading.Lock()
        self._server: Any = None

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    @property
    def times(self) -> Counter[str]:
        """How often each message came."""
        return Counter(request.id for request in self.received)

    @property
    def messages(self) -> list[Received]:
        """Each once, as a receiver that dedupes by webhook-id takes them."""
        return list({request.id: request for request in reversed(self.received)}.values())[::-1]

    def reply(self, *statuses: int, **options: Any) -> None:
        self.replies.extend(Reply(status, **options) for status in statuses)

    def take(self, request: Received) -> Reply:
        with self._lock:
            self.received.append(request)
            return (self.replies.popleft() if self.replies else None) or self.answer(request) or Reply()

    def start(self, tls: Any = None) -> None:
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that gives up is what is tested, not news."""


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            receiver.connections += 1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            reply = receiver.take(Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            if reply.hangs:
                receiver.released.wait()
            if reply.drips:
                _drip(self.wfile, receiver)
            if reply.drops or reply.hangs or reply.drips:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in {"content-length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


def _drip(file: Any, receiver: Receiver) -> None:
    file.write(b"HTTP/1.1 200 OK\r\nx-endless: ")
    while not receiver.released.wait(0.05):
        file.write(b"a")


@contextmanager
def receiver(tls: Any = None) -> Iterator[Receiver]:
    made = Receiver()
    made.start(tls)
    try:
        yield made
    finally:
        made.stop()
