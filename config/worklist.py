"""What waits for who opens the first page: counts that are links, of what they may do and see."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import models
from django.db.models import Count, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.urls import reverse

from accounts.models import Organization
from core.limits import reach, within
from core.tenancy import active_organization_id
from inventory.models import ReorderTask
from inventory.queries.closings import today
from orders.models import Invoice, PickList, PurchaseOrder, ReturnAuthorization, SalesOrder
from orders.queries.approvals import waits_for

type Condition = Callable[[Any, date], Q]


@dataclass(frozen=True, slots=True)
class Work:
    """What there is of `model` for those who have `permission`. `page` is the name of one of its own, if not a list of rows."""

    title: str
    permission: str
    model: type[models.Model]
    condition: Condition
    query: str = ""
    page: str = ""
    is_trouble: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    title: str
    count: int
    url: str
    is_trouble: bool


def _of(*states: str) -> Condition:
    return lambda user, day: Q(status__in=states)


def _of_others(user: Any, day: date) -> Q:
    return waits_for(user.pk)


def _expected(user: Any, day: date) -> Q:
    return Q(status__in=["sent", "partially_received"], expected_on__lte=day)


def _stuck(user: Any, day: date) -> Q:
    return Q(stuck_at__isnull=False)


FULFIL, HOLD = "orders.fulfil_salesorder", "orders.hold_salesorder"
RETURNS = "orders.{}_returnauthorization"
WORK = (
    Work("Orders in error", HOLD, SalesOrder, _of("error"), "status__exact=error", is_trouble=True),
    Work("Orders on hold", HOLD, SalesOrder, _of("on_hold"), "status__exact=on_hold", is_trouble=True),
    Work("Orders that stand still", HOLD, SalesOrder, _stuck, "stuck=yes", is_trouble=True),
    Work("Purchase orders to approve", "orders.approve_purchaseorder", PurchaseOrder, _of_others, page="approvals"),
    Work("Orders to pack", FULFIL, SalesOrder, _of("confirmed", "picking"), "status__in=confirmed,picking"),
    Work("Lists to pick", "orders.pick_picklist", PickList, _of("open", "picking"), "status__in=open,picking"),
    Work("Orders to ship", FULFIL, SalesOrder, _of("packed"), "status__exact=packed"),
    Work("Returns to decide", RETURNS.format("approve"), ReturnAuthorization, _of("requested"), "status__exact=requested"),
    Work("Returns to inspect", RETURNS.format("receive"), ReturnAuthorization, _of("received"), "status__exact=received"),
    Work("Returns to settle", RETURNS.format("settle"), ReturnAuthorization, _of("inspected"), "status__exact=inspected"),
    Work("Invoices to issue", "orders.issue_invoice", Invoice, _of("draft"), "status__exact=draft"),
    Work(
        "Purchase orders expected by today", "orders.receive_purchaseorder", PurchaseOrder, _expected,
        "status__in=sent,partially_received&expected_on__lte={today}",
    ),
    Work("Purchase orders to send", "orders.send_purchaseorder", PurchaseOrder, _of("approved"), "status__exact=approved"),
    Work("Goods to reorder", "orders.add_purchaseorder", ReorderTask, _of("open"), "status__exact=open"),
)


def waiting(request: Any) -> list[Item]:
    """One statement for all that the person works with, and one for the day."""
    mine = [one for one in WORK if request.user.has_perm(one.permission) and request.user.has_perm(_seeing(one.model))]
    if not mine:
        return []
    day = today()
    rows = [
        one.model._default_manager.filter(
            one.condition(request.user, day), within(one.model, reach(request.principal, one.permission)),
        )
        for one in mine
    ]
    counts = Organization.objects.filter(pk=active_organization_id()).values_list(*(
        Coalesce(Subquery(found.order_by().values(all=Value(1)).annotate(n=Count("pk")).values("n")), 0) for found in rows
    )).get()
    return [Item(one.title, count, _url(one, day), one.is_trouble) for one, count in zip(mine, counts, strict=True) if count]


def _seeing(model: type[models.Model]) -> str:
    return f"{model._meta.app_label}.view_{model._meta.model_name}"


def _url(work: Work, day: date) -> str:
    if work.page:
        return reverse(f"admin:{work.page}")
    meta = work.model._meta
    return f"{reverse(f'admin:{meta.app_label}_{meta.model_name}_changelist')}?{work.query.format(today=day)}"
