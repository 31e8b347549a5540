from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, User
from accounts.queries.identity import organizations_of
from accounts.services.sessions import session_open
from accounts.services.tenancy import organization_found
from config.management.commands.load_demo import COMPANIES, OWNER, PASSWORD
from core.invariants import broken
from core.tenancy import Origin, organization_scope
from inventory.models import Fitment, Location, Lot, ReorderRule, StockMove, TransferOrder, VehicleModel, Warehouse
from inventory.queries.dashboard import overview
from inventory.services.replenishment import reorder_check
from inventory.services.vehicles import vehicles_import
from notifications.models import DeliveryAttempt, EventDelivery, EventSubscription, TopicSubscription
from orders.models import LandedCost, Payment, SupplierBill
from tests.companies import Company

pytestmark = pytest.mark.once


def load() -> str:
    said = StringIO()
    call_command("load_demo", stdout=said)
    return said.getvalue()


@pytest.fixture(scope="module")
def demo(companies: list[Company], django_db_blocker: Any) -> Iterator[str]:
    """What loading it said; the tests share one transaction, in which nothing begins that outlives it."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield load()
        transaction.set_rollback(True)


@pytest.fixture
def rolled_back(demo: str) -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def scope(slug: str) -> Any:
    owner = User.objects.get(email=OWNER[0])
    return organization_scope({found.slug: found.id for found in organizations_of(owner.pk)}[slug])


def test_everybody_in_the_table_can_sign_in(demo: str) -> None:
    rows = [line.split() for line in demo.splitlines() if "@" in line]
    assert len(rows) == 7
    assert f"password {PASSWORD} " in demo
    for email, role, *_ in rows:
        tokens = session_open(email=email, password=PASSWORD, origin=Origin(ip="192.0.2.1"))
        assert tokens.roles == (role.lower(),)
        assert User.objects.get(email=email).is_staff


def test_the_owner_can_switch_between_both(demo: str) -> None:
    owner = User.objects.get(email=OWNER[0])

    assert {found.slug for found in organizations_of(owner.pk)} == {"northwind", "autoparts"}


def test_northwind_is_the_import_with_its_18_reorders(demo: str, rolled_back: None) -> None:
    with scope("northwind"):
        numbers = overview()
        assert (numbers.skus, numbers.currency) == (77, "USD")
        assert reorder_check() == 18


def test_autoparts_keeps_lots_serials_and_open_accounts(demo: str) -> None:
    with scope("autoparts"):
        assert set(Lot.objects.values_list("status", flat=True)) == {"released", "recalled"}
        assert StockMove.objects.filter(lot__kind="serial", kind="issue").count() == 1, "one scanner is sold"
        assert sorted(SupplierBill.objects.values_list("status", flat=True)) == ["approved", "in_variance"]
        assert Payment.objects.filter(kind="capture", status="succeeded").count() > 5


def test_a_webhook_has_been_at_work_and_asks_no_server_more(demo: str) -> None:
    with scope("autoparts"):
        rows = EventDelivery.objects.order_by("id").values_list("status", "attempts")
        assert set(rows) == {("delivered", 1), ("delivered", 2), ("dead", 3)}
        assert DeliveryAttempt.objects.count() == sum(attempts for _, attempts in rows)
        assert not EventSubscription.objects.filter(enabled=True).exists()


def test_autoparts_has_every_vehicle_and_a_month_of_trade(demo: str) -> None:
    with scope("autoparts"):
        assert VehicleModel.objects.count() == 19_772
        assert Fitment.objects.count() > 200
        numbers = overview()
        assert numbers.skus >= 60
        assert 5 <= numbers.low < numbers.skus / 3
        assert sum(1 for _, moves in numbers.moves_per_day if moves) >= 20
        assert set(StockMove.objects.values_list("kind", flat=True)) == set(StockMove.Kind)
        assert Warehouse.objects.exclude(kind=Warehouse.Kind.TRANSIT).count() == 2
        assert sorted(TransferOrder.objects.values_list("status", flat=True)) == ["confirmed", "shipped"]
        assert Location.objects.filter(parent__isnull=False).count() == 16
        assert not ReorderRule.objects.filter(level__lt=0).exists()
        assert sorted(LandedCost.objects.values_list("status", flat=True)) == ["draft", "posted"]


@pytest.mark.parametrize("company", COMPANIES, ids=lambda company: company.slug)
def test_the_invariants_hold_and_the_manager_is_told(demo: str, company: Any) -> None:
    with scope(company.slug):
        assert not [row for _, rows in broken() for row in rows]
        subscription = TopicSubscription.objects.select_related("topic").get()
        assert subscription.topic.key == "reorder-reminders"
        assert (subscription.address, subscription.status) == (company.email("manager"), "confirmed")


def test_a_second_run_changes_nothing_at_once(demo: str) -> None:
    def written() -> list[int]:
        counts = [User.objects.count()]
        for company in COMPANIES:
            with scope(company.slug):
                counts += [AuditEntry.objects.count(), StockMove.objects.count()]
        return counts

    before = written()

    with CaptureQueriesContext(connection) as sent:
        said = load()

    assert len(sent) <= 12, [query["sql"][:80] for query in sent]
    assert written() == before
    assert said.count("is there already.") == 2
    assert said[said.index("Sign in"):] == demo[demo.index("Sign in"):]


def test_an_organization_of_that_name_is_left_alone(acme: Company) -> None:
    own = organization_found(name="My own", slug="northwind", founder=acme.user)

    said = load()

    assert "left out: another organization is called northwind here." in said
    assert "@northwind.example" not in said
    assert not User.objects.filter(email__endswith="@northwind.example").exists()
    with organization_scope(own.pk):
        assert not StockMove.objects.exists()


def test_no_demo_in_production(settings: Any, db: None) -> None:
    settings.DEMO_ALLOWED = False

    with pytest.raises(CommandError, match="Everybody knows the demo's password") as refusal:
        load()

    assert refusal.value.returncode == 2
    assert not User.objects.filter(email=OWNER[0]).exists()


def test_a_vehicle_file_with_bad_rows(acme: Company, tmp_path: Path) -> None:
    path = tmp_path / "vehicles.csv"
    names = f'{"m" * 60}","{"n" * 100}'
    path.write_text(
        f'"year","make","model"\n2001,"ACURA","CL"\n2001,"ACURA","CL"\n1066,"NORMAN","LONGSHIP"\n2002,"{names}"\n2003,"{names}n"\n',
        encoding="utf-8",
    )

    with acme.scope():
        first, second = vehicles_import(path=path), vehicles_import(path=path)

        assert (first.created, first.unchanged) == (2, 1)
        assert (second.created, second.unchanged) == (0, 3)
        assert [(problem.line, problem.column) for problem in first.problems] == [(4, "year"), (6, "model")]
        assert VehicleModel.objects.count() == 2
