"""Asks a stage whether it works, as its users would."""

import time
from collections.abc import Callable, Iterator
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from infra.aws import Failed

# Path, status. The first needs the function alone, the second the database and all its migrations, the third refuses.
ASKED = (("/healthz", 200), ("/readyz", 200), ("/api/v1/products/", 401))
ATTEMPTS, PAUSE = 6, 5.0  # a function in a network of its own takes a while the first time


def check(address: str, pause: Callable[[float], None] = time.sleep) -> Iterator[str]:
    """A line for each answer that is right. Raises Failed."""
    for path, wanted in ASKED:
        for attempt in range(1, ATTEMPTS + 1):
            status, said = _answer(address + path)
            if status == wanted:
                break
            if attempt == ATTEMPTS:
                raise Failed(f"{address}{path} answers {status or 'nothing'} instead of {wanted}: {said[:300]}")
            pause(PAUSE)
        yield f"{wanted} {address}{path}"


def _answer(url: str) -> tuple[int, str]:
    request = Request(url, headers={"Accept": "application/json"})  # https, but for tests
    try:
        with urlopen(request, timeout=30) as response:
            return response.status, response.read().decode(errors="replace")
    except HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except (URLError, OSError) as error:
        return 0, str(error)
