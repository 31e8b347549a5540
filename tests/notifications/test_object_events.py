"""What the database tells of objects, whatever changes them."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, models
from django.utils import timezone
from jsonschema import Draft202012Validator

from accounts.models import Membership, User
from accounts.permissions import known
from accounts.services.people import person_add, person_change, person_leave, person_restore, profile_change
from accounts.services.tenancy import membership_add
from core.wall import functions
from inventory.models import Product, ProductVariant, StockItem
from notifications.event_types import event_types
from notifications.models import OutboxEvent
from notifications.object_events import objects
from notifications.patterns import compile_pattern
from tests.companies import Company
from tests.factories.inventory import ProductFactory, ProductVariantFactory, UnitOfMeasureFactory
from tests.inventory.goods import Goods


def told_of(row_id: UUID) -> list[OutboxEvent]:
    """Each of them as its schema says."""
    events = list(OutboxEvent.objects.filter(aggregate_id=row_id).order_by("seq"))
    for event in events:
        Draft202012Validator(event_types()[event.type].schema).validate(event.payload)
    return events


def verbs(row_id: UUID) -> list[str]:
    return [event.type.rpartition(".")[2] for event in told_of(row_id)]


def test_an_object_is_told_as_it_is_after_the_change(acme: Company) -> None:
    with acme.scope(request_id="req-9"):
        variant = ProductVariantFactory(sku="A-1", standard_cost=Decimal("12.340000"))
        variant.name, variant.standard_cost = "Another", Decimal("0.1")
        variant.save()
        created, updated = told_of(variant.pk)
    assert (created.type, created.aggregate_type) == ("product_variant.created", "product_variant")
    assert created.correlation_id == updated.correlation_id == "req-9"
    assert created.payload["object"]["sku"] == "A-1" and created.payload["object"]["product"] == str(variant.product_id)
    assert (created.payload["object"]["standard_cost"], created.payload["object"]["version"]) == (12.34, 1)
    assert updated.payload["changed"] == ["name", "standard_cost"]
    assert (updated.payload["object"]["name"], updated.payload["object"]["version"]) == ("Another", 2)
    assert compile_pattern({"payload": {"object": {"standard_cost": [{"numeric": ["<", 1]}]}}})({"payload": updated.payload})


def test_bulk_statements_and_raw_sql_are_seen_alike(acme: Company) -> None:
    with acme.scope():
        unit = UnitOfMeasureFactory()
        first, second = Product.objects.bulk_create([Product(name=name, base_unit=unit) for name in ("a", "b")])
        Product.objects.filter(pk__in=[first.pk, second.pk]).update(description="new")
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM inventory_product WHERE id = %s", [first.pk])
        assert verbs(first.pk) == ["created", "updated", "deleted"]
        assert verbs(second.pk) == ["created", "updated"]
        assert told_of(first.pk)[2].payload["object"]["description"] == "new", "the last image"


def test_nothing_is_told_when_nothing_changed(acme: Company) -> None:
    with acme.scope():
        product = ProductFactory()
        product.save()
        Product.objects.update(updated_at=timezone.now(), version=7)
        assert verbs(product.pk) == ["created"]


def test_the_archive_is_told_as_gone_and_back(acme: Company) -> None:
    with acme.scope():
        product = ProductFactory()
        for archived_at in (timezone.now(), None, timezone.now()):
            Product.objects.filter(pk=product.pk).update(archived_at=archived_at)
        Product.objects.filter(pk=product.pk).delete()
        assert verbs(product.pk) == ["created", "deleted", "restored", "deleted"]


def test_a_rollback_tells_nothing(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with pytest.raises(ZeroDivisionError), company.scope():
        product = ProductFactory()
        raise ZeroDivisionError
    with company.scope():
        assert not told_of(product.pk)


def test_balances_are_told_in_order_with_what_is_available(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(4)
        goods.issue(3)
        item = StockItem.objects.get()
        events = told_of(item.pk)
    assert [event.type for event in events] == ["stock_item.created", "stock_item.updated", "stock_item.updated"]
    assert [event.payload["object"]["available"] for event in events] == [0, 4, 1]
    assert events[-1].payload["changed"] == ["quantity"]
    assert "may_be_short" not in events[-1].payload["object"]


def test_what_is_secret_or_made_by_the_database_is_not_told(acme: Company) -> None:
    with acme.scope():
        told = told_of(ProductFactory().pk)[0].payload["object"]
        person = told_of(acme.members["viewer"].user.pk)[0].payload["object"]
    assert not {"name_key", "organization"} & told.keys()
    assert not {"password", "last_login", "is_superuser", "second_factor_at", "avatar"} & person.keys()
    for objects_of in objects().values():
        secret = set(getattr(objects_of.model, "audit_redacted", ()))
        generated = {one.name for one in objects_of.model._meta.fields if isinstance(one, models.GeneratedField)}
        assert not {one.name for one in objects_of.fields} & (secret | generated - set(objects_of.also))


# --- People ------------------------------------------------------------------------------------------------


def join(**values: Any) -> User:
    return person_add(email="ada@example.test", name="Ada", granter=known(), **values)


def test_a_person_is_told_while_they_are_a_member(acme: Company) -> None:
    with acme.scope():
        user = join()
        person_change(user=user, phone="+351 1")
        User.objects.filter(pk=user.pk).update(last_login=timezone.now(), password="!")
        person_leave(user=user)
        profile_change(user=user, phone="+351 2")
        person_restore(user_id=user.pk)
        Membership.objects.filter(user=user).delete()
        events = told_of(user.pk)
    assert [event.type for event in events] == [
        "user.created", "user.updated", "user.deleted", "user.restored", "user.deleted",
    ]
    assert events[0].payload["object"]["email"] == "ada@example.test"
    assert events[1].payload["changed"] == ["phone"]
    assert events[2].payload == events[4].payload == {"object": {"id": str(user.pk)}}
    assert events[3].payload["object"]["phone"] == "+351 2"


def test_each_organization_of_a_person_is_told_and_no_other(acme: Company, bolt: Company) -> None:
    with acme.scope():
        user = join()
    with bolt.scope():
        membership_add(user=user, roles=[])
        profile_change(user=user, name="Countess")
        person_leave(user=user)
        profile_change(user=user, name="Lady")
        assert verbs(user.pk) == ["created", "updated", "deleted"]
    with acme.scope():
        assert verbs(user.pk) == ["created", "updated", "updated"]
        assert told_of(user.pk)[-1].payload["object"]["name"] == "Lady"


def test_somebody_invited_is_told_when_they_join(acme: Company) -> None:
    with acme.scope():
        user = User.objects.create_user("guest@example.test", name="Guest")
        membership = Membership.objects.create(user=user, status="invited")
        assert verbs(user.pk) == []
        membership.status = "active"
        membership.save()
        User.objects.filter(pk=user.pk).update(archived_at=timezone.now())
        User.objects.filter(pk=user.pk).update(archived_at=None)
        assert verbs(user.pk) == ["created", "deleted", "restored"]


def test_functions_are_facts_of_the_wall() -> None:
    assert {"tell_user()", "tell_product()", "tell_product_variant()", "tell_stock_item()"} <= {
        function.signature for function in functions()
    }
    assert ProductVariant in {one.model for one in objects().values()}
    assert json.dumps([one.envelope() for one in event_types().values()])
