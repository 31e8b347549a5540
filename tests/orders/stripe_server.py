"""Stripe as localstripe plays it, over HTTP on loopback."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen

from aiohttp import web
from localstripe.server import app

KEY = "sk_test_12345"


@contextmanager
def stripe_server() -> Iterator[str]:
    """Its address. Once in a process: the application cannot be started again."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(app)
    loop.run_until_complete(runner.setup())
    loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", 0).start())
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        asyncio.run_coroutine_threadsafe(_end(runner), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _end(runner: web.AppRunner) -> None:
    """With the webhooks that it would send a second after what they tell of."""
    await runner.cleanup()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def asked(url: str, path: str, body: Any = None) -> Any:
    """What somebody at Stripe's own pages sees, or does."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    with urlopen(Request(f"{url}{path}", data, headers), timeout=10) as response:
        return json.loads(response.read() or b"null")


def card(url: str, number: str = "4242424242424242") -> str:
    made = asked(url, "/v1/payment_methods", {
        "type": "card", "card": {"number": number, "exp_month": 12, "exp_year": 2099, "cvc": "123"},
    })
    return str(made["id"])
