"""How many webhooks a worker delivers: claimed, signed, sent and noted, beside what sending alone costs."""

import asyncio
import logging
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from uuid import uuid4

import httpx2
from django.conf import settings
from django.db import connections

from bench.database import TENANT, member_of
from bench.measuring import Result, times
from core.json import dumps
from core.tenancy import organization_scope
from notifications.deliveries import deliver_due
from notifications.models import EventSubscription, WebhookEndpoint
from notifications.services.webhooks import secret_make, webhook_endpoint_create
from notifications.webhooks import signed

BATCH, ROUNDS = 400, 5
PAYLOAD = {"sku": "NW-0001", "quantity": "12.000000", "threshold": "25.000000", "warehouse": "MAIN", "supplier": "Exotic Liquids"}
NAME = "Bench webhooks"

FILL = """
    WITH told AS (
        INSERT INTO notifications_outboxevent
            (id, organization_id, bus, type, schema_version, aggregate_type, aggregate_id, payload, correlation_id, relayed_at)
        SELECT uuid7(), %(organization)s, 'default', 'bench.told', 1, 'bench', gen_random_uuid(), %(payload)s::jsonb, '', now()
        FROM generate_series(1, %(events)s) RETURNING id, organization_id, aggregate_id, seq
    )
    INSERT INTO notifications_eventdelivery (id, organization_id, event_id, subscription_id, aggregate_id, seq)
    SELECT uuid7(), organization_id, id, %(subscription)s, aggregate_id, seq FROM told
"""


def run(size: int) -> Iterator[Result]:
    logging.getLogger("notifications.deliveries").setLevel(logging.WARNING)  # a line for each is not what is measured
    organization_id = member_of(TENANT).organization_id
    try:
        with receiver() as port:
            url = f"http://127.0.0.1:{port}/hooks"
            with organization_scope(organization_id):
                made = webhook_endpoint_create(name=NAME, url=url)
                wanted = EventSubscription.objects.create(
                    name=NAME, pattern={"type": ["bench.told"]}, target_kind="webhook", endpoint=made.row,
                )  # fmt: skip
            with connections["worker"].cursor() as cursor:
                cursor.execute(FILL, {
                    "organization": organization_id, "payload": dumps(PAYLOAD).decode(), "subscription": wanted.pk,
                    "events": BATCH * (ROUNDS + 2),
                })
                cursor.execute("ANALYZE notifications_eventdelivery")
            lowest, found = times(ROUNDS, lambda: _posts(url), _deliveries)
            print(f"  {BATCH / found * 1000:,.0f} deliveries/s, {BATCH / lowest * 1000:,.0f} posts/s, {_threads()} threads")
            yield Result("a webhook delivered, beside signing and posting alone", size, found / BATCH, lowest / BATCH)
    finally:
        _empty(organization_id)


def _deliveries() -> None:
    if deliver_due(Event(), BATCH) != BATCH:
        raise AssertionError("There was less to deliver.")


def _posts(url: str) -> None:
    """The same number from the same number of threads, by httpx2, with its connections kept."""
    key = secret_make()
    body = dumps({"id": str(uuid4()), "type": "bench.told", "payload": PAYLOAD})
    with httpx2.Client(trust_env=False) as client, ThreadPoolExecutor(_threads()) as threads:

        def post(_: int) -> None:
            message_id = str(uuid4())
            client.post(url, content=body, headers=signed([key], message_id, 1_795_703_418, body)).raise_for_status()

        list(threads.map(post, range(BATCH)))


def _threads() -> int:
    return int(settings.DELIVERY_THREADS)


@contextmanager
def receiver() -> Iterator[int]:
    """Answers 204 to whatever comes, in a process of its own."""
    context = multiprocessing.get_context("fork")
    ports = context.SimpleQueue()
    connections.close_all()
    process = context.Process(target=lambda: asyncio.run(_serve(ports)), daemon=True)
    process.start()
    try:
        yield ports.get()
    finally:
        process.kill()
        process.join()


async def _serve(ports: "multiprocessing.SimpleQueue[int]") -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(length))
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    ports.put(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def _empty(organization_id: object) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("TRUNCATE notifications_deliveryattempt, notifications_eventdelivery, notifications_outboxevent CASCADE")
        cursor.execute("DELETE FROM notifications_eventsubscription WHERE name = %s", [NAME])
        cursor.execute("DELETE FROM notifications_webhookhealth")
        cursor.execute(f"DELETE FROM {WebhookEndpoint._meta.db_table} WHERE name = %s", [NAME])
