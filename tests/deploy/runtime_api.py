"""Lambda's Runtime API on loopback, for the real runtime client: it runs a handler as Lambda does, in a process of its own."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from uuid import uuid4

RUNTIME = ("awslambdaric", "simplejson", "snapshot-restore-py")  # what Lambda has beside the package
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:quartermaster-dev"


def runtime_packages(folder: Path) -> Path:
    """A folder of Lambda's own packages alone, for a Python that sees no others (-S)."""
    if not folder.exists():
        folder.mkdir()
        for name in RUNTIME:
            for part in {file.parts[0] for file in distribution(name).files or ()}:
                (folder / part).symlink_to(distribution(name).locate_file(part))
    return folder


class Answer:
    """`value` is what the handler returned; `error` what it raised, as Lambda's clients see it."""

    def __init__(self, path: str, body: bytes, milliseconds: float) -> None:
        said = json.loads(body) if body else None
        self.error = said if path.endswith("/error") else None
        self.value = None if self.error else said
        self.milliseconds = milliseconds


class Runtime:
    """A warm environment of a function: `with Runtime(...) as runtime: runtime.invoke(event)`.

    `options` are Python's: with -S the packages beside the interpreter are out of reach, as on Lambda.
    Raises RuntimeError if the handler cannot be loaded. `started_ms`: from the start of the process until it asks for an event.
    """

    def __init__(
        self, handler: str, folder: Path, environment: Mapping[str, str], *, options: Sequence[str] = (),
        log: Path | None = None,
    ) -> None:
        self._events: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._answers: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._asked = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._requests())
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # the process ends in the midst of asking
        self._command = [sys.executable, *options, "-m", "awslambdaric", handler]
        self._folder, self._log = folder, log
        self._environment = {
            "PATH": os.environ["PATH"], "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}",
            "LAMBDA_TASK_ROOT": str(folder), "AWS_REGION": "eu-west-1", "AWS_LAMBDA_FUNCTION_NAME": "quartermaster-dev",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "PYTHONDONTWRITEBYTECODE": "1", **environment,
        }

    def __enter__(self) -> "Runtime":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        output = self._log.open("wb") if self._log else subprocess.DEVNULL
        before = time.perf_counter()
        self.process = subprocess.Popen(self._command, cwd=self._folder, env=self._environment, stdout=output, stderr=output)
        try:
            while not self._asked.wait(0.05):
                if self.process.poll() is not None:
                    raise RuntimeError(f"The runtime ended with {self.process.returncode} before it asked for an event.")
            self.started_ms = (time.perf_counter() - before) * 1000
            if not self._answers.empty():
                raise RuntimeError(self._answers.get()[1].decode())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._server.shutdown()
        self._server.server_close()

    def invoke(self, event: Any) -> Answer:
        before = time.perf_counter()
        self._events.put((str(uuid4()), json.dumps(event).encode()))
        path, body = self._answers.get(timeout=60)
        return Answer(path, body, (time.perf_counter() - before) * 1000)

    def cpu_ms(self) -> float:
        """What its process has computed so far: other work on the machine does not lengthen it."""
        return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0]) / 1_000_000

    def memory(self) -> dict[str, float]:
        """MiB, now and at its highest."""
        lines = dict(line.split(":", 1) for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines())
        return {key: int(lines[name].split()[0]) / 1024 for key, name in (("now", "VmRSS"), ("peak", "VmHWM"))}

    def _requests(self) -> type[BaseHTTPRequestHandler]:
        runtime = self

        class Requests(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = 65_536  # headers and body leave together

            def do_GET(self) -> None:  # .../invocation/next
                runtime._asked.set()
                request, body = runtime._events.get()
                headers = {
                    "Lambda-Runtime-Aws-Request-Id": request, "Content-Type": "application/json",
                    "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 30_000),
                    "Lambda-Runtime-Invoked-Function-Arn": ARN,
                    "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0",
                }
                self._send(200, body, headers)

            def do_POST(self) -> None:  # .../response, .../error, .../init/error
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self._send(202, b"", {})
                runtime._answers.put((self.path, body))
                if self.path.endswith("/init/error"):
                    runtime._asked.set()

            def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                self.wfile.flush()

            def log_message(self, *_: object) -> None:
                pass

        return Requests
