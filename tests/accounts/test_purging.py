"""What is kept of past requests goes when nobody needs it, and the rest stays."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

from django.db import connections
from django.utils import timezone

from accounts.models import IdempotencyRecord, RateWindow, UsedNonce
from accounts.services.leases import Policy, requests_spend
from accounts.services.retention import purge_shared
from tests.companies import Company
from tests.factories.accounts import IdempotencyRecordFactory, UsedNonceFactory

PAST, FUTURE = timezone.now() - timedelta(seconds=1), timezone.now() + timedelta(hours=1)


def purged(*, dry_run: bool = False) -> dict[str, int]:
    return {line.data_class: line.rows for line in purge_shared(dry_run=dry_run)}


def test_answers_and_nonces_of_all_organizations_go_when_they_expire(new_company: Callable[[], Company]) -> None:
    companies = [new_company(), new_company()]
    for company in companies:
        with company.scope():
            for end in (PAST, FUTURE):
                IdempotencyRecordFactory(expires_at=end)
                UsedNonceFactory(expires_at=end)
    expected = purged(dry_run=True)
    assert (expected["answers"], expected["nonces"]) >= (2, 2)
    assert purged() == expected
    assert (purged()["answers"], purged()["nonces"]) == (0, 0)
    for company in companies:
        with company.scope():
            assert [record.expires_at for record in IdempotencyRecord.objects.all()] == [FUTURE]
            assert [nonce.expires_at for nonce in UsedNonce.objects.all()] == [FUTURE]


def test_who_has_not_asked_for_a_day_is_forgotten(commits: None) -> None:
    old, new = (Policy("address", str(uuid4()), 5) for _ in range(2))
    for policy in (old, new):
        requests_spend(policies=[policy], seconds=60)
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE accounts_ratewindow SET ends = ends - 90000 WHERE bucket = %s", [f"address:{old.id}"])
    assert purged(dry_run=True)["rate-windows"] >= 1
    assert purged()["rate-windows"] >= 1
    left = RateWindow.objects.using("worker").filter(bucket__in=[f"address:{policy.id}" for policy in (old, new)])
    assert [window.bucket for window in left] == [f"address:{new.id}"]
