from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet
from core.errors import Invalid
from core.limits import refuse_outside
from core.serializers import ReferenceField, StrictSerializer, TenantSerializer
from inventory.api.postings import BalanceSerializer, PostedSerializer, PostingSerializer, answer, quantity_field, wanted_field
from inventory.api.wanted import WantedSerializer
from inventory.models import Reservation, Warehouse
from inventory.services.candidates import Wanted
from inventory.services.reservations import (
    Demand,
    Pick,
    Reserved,
    Shortage,
    demand_release,
    reservation_allocate,
    stock_pick,
    stock_release,
    stock_reserve,
)
from inventory.services.stock import Circumstances


class ReservationSerializer(TenantSerializer):
    sku = serializers.CharField(source="variant.sku", read_only=True)
    location = serializers.UUIDField(source="stock_item.location_id", read_only=True)
    lot_code = serializers.CharField(source="lot.code", read_only=True)

    class Meta:
        model = Reservation
        fields = [
            "id", "variant", "sku", "warehouse", "stock_item", "location", "lot", "lot_code", "quantity", "picked_quantity",
            "demand_type", "demand_id", "demand_line_id", "expires_at", "status", "closed_at", "idempotency_key", "actor_id",
            "api_key_id", "created_at",
        ]


class WantedOfDemandSerializer(WantedSerializer):
    demand_line = serializers.UUIDField(source="demand_line_id", required=False)


class ReserveSerializer(StrictSerializer):
    demand_type = serializers.CharField(max_length=40, help_text="What the goods are for, such as sales_order.")
    demand_id = serializers.UUIDField()
    expires_at = serializers.DateTimeField(required=False, help_text="When they are free again.")
    shortage = serializers.ChoiceField(
        [one.value for one in Shortage], default=Shortage.REFUSE.value,
        help_text="If there is less: refuse all, reserve what there is, or let the rest wait for goods.",
    )
    idempotency_key = serializers.CharField(max_length=100, required=False)
    lines: Any = serializers.ListSerializer(child=WantedOfDemandSerializer(), max_length=1000)


class ShortSerializer(serializers.Serializer):
    line = serializers.IntegerField(help_text="The number of the line, from 0.")
    quantity = quantity_field(help_text="How much could not be had.")


class ReservedSerializer(serializers.Serializer):
    reservations = serializers.ListField(child=serializers.UUIDField())
    balances = BalanceSerializer(many=True)
    short = ShortSerializer(many=True)
    replayed = serializers.BooleanField()


class ChosenSerializer(StrictSerializer):
    reservations = serializers.ListField(child=ReferenceField(), max_length=1000)


class ReleaseSerializer(StrictSerializer):
    """Either the reservations or their demand."""

    reservations = serializers.ListField(child=ReferenceField(), max_length=1000, required=False)
    demand_type = serializers.CharField(max_length=40, required=False)
    demand_id = serializers.UUIDField(required=False)


class ReleasedSerializer(serializers.Serializer):
    released = serializers.ListField(child=serializers.UUIDField(), help_text="Without those that had ended before.")


class PickLineSerializer(StrictSerializer):
    reservation = ReferenceField(source="reservation_id")
    quantity = wanted_field(required=False, help_text="All that is left of it, unless given.")


class PickSerializer(PostingSerializer):
    lines: Any = serializers.ListSerializer(child=PickLineSerializer(), max_length=1000)


class ReservationViewSet(ReadViewSet):
    """Stock that is promised; its actions promise it, pick it, or give it back."""

    serializer_class = ReservationSerializer
    filters = ["variant", "warehouse", "stock_item", "lot", "demand_id", "status"]

    @extend_schema(request=ReserveSerializer, responses={201: ReservedSerializer})
    @action(detail=False, methods=["post"], permission="inventory.reserve_stock", body_class=ReserveSerializer)
    def reserve(self, request: Request) -> Response:
        """What expires first, then the oldest lot, in pick order; nothing that is held or expired."""
        body = self.body(request)
        lines = [Wanted(**line) for line in body["lines"]]
        refuse_outside(Warehouse, {line.warehouse_id for line in lines}, self.may_change_in())
        return _reserved(stock_reserve(
            lines=lines, demand=Demand(body["demand_type"], body["demand_id"], body.get("expires_at")),
            shortage=Shortage(body["shortage"]), idempotency_key=body.get("idempotency_key", ""),
        ))

    @extend_schema(request=ChosenSerializer, responses={201: ReservedSerializer})
    @action(detail=False, methods=["post"], permission="inventory.reserve_stock", body_class=ChosenSerializer)
    def allocate(self, request: Request) -> Response:
        """Goods for reservations of one demand that wait for some, as far as there are any."""
        chosen = self.body(request)["reservations"]
        self.refuse_outside(*chosen)
        return _reserved(reservation_allocate(reservations=chosen))

    @extend_schema(request=PickSerializer, responses={201: PostedSerializer})
    @action(detail=False, methods=["post"], permission="inventory.pick_stock", body_class=PickSerializer)
    def pick(self, request: Request) -> Response:
        """The goods leave: an issue that uses the reservations."""
        body = self.body(request)
        picks = [Pick(**line) for line in body.pop("lines")]
        self.refuse_outside(*(pick.reservation_id for pick in picks))
        return answer(stock_pick(picks=picks, circumstances=Circumstances(**body)))

    @extend_schema(request=ReleaseSerializer, responses=ReleasedSerializer)
    @action(detail=False, methods=["post"], permission="inventory.release_stock", body_class=ReleaseSerializer)
    def release(self, request: Request) -> Response:
        """What was not picked is free again."""
        body = self.body(request)
        chosen, demand = body.get("reservations"), (body.get("demand_type"), body.get("demand_id"))
        if (chosen is None) == (None in demand):
            raise Invalid("Give either reservations, or demand_type and demand_id.", fields={"reservations": "one of the two"})
        if chosen is not None:
            self.refuse_outside(*chosen)
            return Response({"released": stock_release(reservations=chosen)})
        rows = Reservation.objects.filter(demand_id=demand[1], demand_type=demand[0], status=Reservation.Status.ACTIVE)
        self.refuse_outside(*rows.values_list("pk", flat=True))
        return Response({"released": demand_release(demand=Demand(*demand))})  # type: ignore[arg-type]  # both are there


def _reserved(done: Reserved) -> Response:
    short = [{"line": line, "quantity": str(quantity)} for line, quantity in done.short.items()]
    body = {"reservations": done.reservations, "balances": done.balances, "short": short, "replayed": done.replayed}
    return Response(body, status=status.HTTP_200_OK if done.replayed else status.HTTP_201_CREATED)


routes = {"reservations": ReservationViewSet}
