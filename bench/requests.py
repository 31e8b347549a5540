"""Whole requests: the WSGI application called with an environ, as a server calls it."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import orjson

from bench.database import Member


class Refused(Exception):
    """A benchmark's request was not answered with 2xx."""


class Client:
    def __init__(self, member: Member) -> None:
        from config.wsgi import application  # noqa: PLC0415  # opens connections: the database is chosen first

        self.application: Any = application
        self.authorization = f"Bearer {member.token}"

    def get(self, path: str) -> Callable[[], bytes]:
        return self.request("GET", path, None)

    def post(self, path: str, body: Any, **headers: str) -> Callable[[], bytes]:
        """Headers as the environ names them: HTTP_IDEMPOTENCY_KEY."""
        return self.request("POST", path, body, **headers)

    def request(self, method: str, path: str, body: Any, **headers: str) -> Callable[[], bytes]:
        address, _, query = path.partition("?")
        sent = b"" if body is None else orjson.dumps(body)
        environ = {
            "REQUEST_METHOD": method, "PATH_INFO": f"/api/v1/{address}", "QUERY_STRING": query, "SERVER_NAME": "localhost",
            "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http",
            "HTTP_AUTHORIZATION": self.authorization, "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(sent)),
            **headers,
        }

        def call() -> bytes:
            answered: list[str] = []
            response = self.application(environ | {"wsgi.input": BytesIO(sent)}, lambda status, headers: answered.append(status))
            content = b"".join(response)
            response.close()
            if not answered[0].startswith("2"):
                raise Refused(f"{method} {path}: {answered[0]} {content.decode()}")
            return content

        return call
