"""A web shop to test with: a channel, ten bolts on a shelf, and what they cost."""

from typing import Any

from accounts.models import Role, User, UserRole
from accounts.services.tenancy import membership_add
from inventory.models import Reservation
from notifications.models import OutboxEvent
from orders.models import Channel, SalesOrder
from tests.companies import Api, Company, signed_in
from tests.factories.accounts import UserFactory
from tests.inventory.goods import Goods
from tests.inventory.test_quotes import price

FULFIL = "orders.fulfil_salesorder"
ADDRESS = {"name": "Ada Byron", "street1": "Rua A 1", "city": "Porto", "country": "PT"}


class Shop:
    def __init__(self, company: Company) -> None:
        self.company = company
        with company.scope():
            self.goods = Goods.create()
            self.goods.receive(10)
            price(self.goods.bolt, "2.50")
            self.channel = Channel.objects.create(code="WEB", name="Web shop", currency="EUR", warehouse=self.goods.warehouse)
        self.partner = company.api_by_key(FULFIL)

    def customer(self) -> Api:
        """Somebody who may order for themselves, and nothing else."""
        user: User = UserFactory()
        with self.company.scope():
            role, _ = Role.objects.get_or_create(code="customer", defaults={
                "name": "Customer", "permissions": ["orders.shop_salesorder"],
            })
            UserRole.objects.create(membership=membership_add(user=user, roles=[]), role=role)
        return Api(f"Bearer {signed_in(user).access_token}")

    def body(self, quantity: Any = 3, **values: Any) -> dict[str, Any]:
        return {"items": [{"id": str(self.goods.bolt.pk), "quantity": quantity}], "shippingAddress": ADDRESS, **values}

    def placed(self, quantity: Any = 3, api: Api | None = None) -> dict[str, Any]:
        response = (api or self.company.api).send("post", "/orders", self.body(quantity))
        assert response.status_code == 201, response.content
        found: dict[str, Any] = response.json()
        return found

    def order(self, shown: dict[str, Any]) -> SalesOrder:
        found: SalesOrder = SalesOrder.objects.get(pk=shown["id"])
        return found

    def told(self, shown: dict[str, Any]) -> list[str]:
        """The order's own events, in order."""
        found = OutboxEvent.objects.filter(aggregate_id=shown["id"], type__startswith="order.").order_by("seq")
        return list(found.values_list("type", flat=True))

    def reserved(self, shown: dict[str, Any]) -> list[str]:
        return list(Reservation.objects.filter(demand_id=shown["id"]).values_list("status", flat=True))
