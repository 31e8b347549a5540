"""One key, many processes with real commits: one effect, whoever is killed in between."""

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.db import connections, transaction

from accounts.models import IdempotencyRecord, Party
from inventory.models import StockMove
from tests.companies import Company
from tests.inventory.goods import Goods
from tests.inventory.test_races import ISSUE, at_once
from tests.notifications.processes import eventually

PARTIES = "/api/v1/parties/"
KEY = {"Idempotency-Key": "order 4711"}

type NewCompany = Callable[[], Company]


def parties(company: Company) -> int:
    with company.scope():
        return Party.objects.filter(name="Once").count()


def test_ten_parallel_requests_have_one_effect(new_company: NewCompany) -> None:
    company = new_company()
    api = company.api

    def create(number: int) -> tuple[int, str]:
        """Again while another one is at it, as the answer says."""
        while True:
            response = api.send("post", PARTIES, {"name": "Once"}, headers=KEY)
            if response.status_code != 409:
                return response.status_code, response.json()["id"]
            assert (response.json()["code"], response.headers["Retry-After"]) == ("idempotency_in_progress", "1")

    [((status, _), count)] = Counter(at_once(10, create)).items()
    assert (status, count, parties(company)) == (201, 10, 1)


def test_ten_parallel_postings_have_one_effect(new_company: NewCompany) -> None:
    """The header alone, without the key that a posting may have in its body."""
    company = new_company()
    with company.scope():
        goods = Goods.create()
        goods.receive(100)
    api = company.api
    body = {"lines": [{"variant": str(goods.bolt.pk), "quantity": "1", "from_location": str(goods.shelf.pk)}]}
    answers = at_once(10, lambda number: api.send("post", ISSUE, body, headers=KEY).status_code)
    assert set(answers) <= {201, 409} and 201 in answers
    with company.scope():
        assert (goods.on_hand(), StockMove.objects.filter(kind="issue").count()) == (99, 1)


def test_the_key_in_a_postings_body_works_beside_the_header(new_company: NewCompany) -> None:
    company = new_company()
    with company.scope():
        goods = Goods.create()
        goods.receive(100)
    line = {"variant": str(goods.bolt.pk), "quantity": "1", "from_location": str(goods.shelf.pk)}
    body = {"lines": [line], "idempotency_key": "pick 4711"}
    answers = [company.api.send("post", ISSUE, body, headers=headers) for headers in (KEY, KEY, {})]
    assert [response.status_code for response in answers] == [201, 201, 200]
    assert answers[0].json() == answers[1].json()
    with company.scope():
        assert goods.on_hand() == 99


def in_a_process(work: Callable[[], Any]) -> multiprocessing.Process:
    connections.close_all()
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    return process


def test_killed_between_effect_and_record_neither_is_there(new_company: NewCompany) -> None:
    """The process stands before its record, which a lock on the table holds back, and is killed there."""
    company = new_company()
    api = company.api
    process = in_a_process(lambda: api.send("post", PARTIES, {"name": "Once"}, headers=KEY))
    try:
        with transaction.atomic("worker"), connections["worker"].cursor() as cursor:
            cursor.execute("LOCK TABLE accounts_idempotencyrecord IN EXCLUSIVE MODE")
            waiting = (
                "SELECT count(*) FROM pg_locks WHERE relation = 'accounts_idempotencyrecord'::regclass"
                " AND mode = 'RowExclusiveLock' AND NOT granted"
            )

            def stands_there() -> bool:
                cursor.execute(waiting)
                return bool(cursor.fetchone()[0])

            eventually(stands_there)
            # Its effect is written and not committed; a second request is told so, and does not wait.
            response = api.send("post", PARTIES, {"name": "Once"}, headers=KEY)
            assert (response.status_code, response.json()["code"]) == (409, "idempotency_in_progress")
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            process.join(60)
    finally:
        process.kill()
        process.join(60)
    eventually(lambda: api.send("post", PARTIES, {"name": "Once"}, headers=KEY).status_code == 201)
    assert api.send("post", PARTIES, {"name": "Once"}, headers=KEY).headers["Idempotent-Replayed"] == "true"
    assert parties(company) == 1
    with company.scope():
        assert IdempotencyRecord.objects.count() == 1
