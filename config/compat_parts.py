"""The paths of older inventory clients, `/parts`, `/stock`, `/reorder` and `/analytics`, in the shapes that they expect, over
the same services. docs/guide/old-paths.md tells what to use instead.

Quantities and prices are JSON numbers here, and a part is one record of product, variant, supplier, vehicles and threshold.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.urls import re_path
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from config.compat import OldPath, json, old_list
from core.choosing import Conditions
from core.conditions import conditional, parse_tags, refuse_stale, tag_of
from core.errors import Invalid
from core.json import dumps
from core.limits import reach, refuse_outside
from core.permitting import SignedIn, demand
from core.reading import BASE
from core.serializers import StrictSerializer
from core.within import holder
from inventory.api.analytics import statistics
from inventory.api.catalog import ProductVariantViewSet
from inventory.api.replenishment import LowStockViewSet, ReorderTaskViewSet
from inventory.models import Location, ProductVariant, StockAdjustment, VehicleModel
from inventory.queries.parts import levels_by_vehicle, parts, places
from inventory.services.parts import level_set, part_change, part_create, place_of, threshold_set, vehicle_models_meant
from inventory.services.replenishment import reorder_check

VIEW_STOCK, ADJUST = "inventory.view_stockitem", "inventory.adjust_stock"
# What a body's field needs besides the permission for the part itself.
NEEDS = {
    "category": ("inventory.add_category",),
    "supplier": ("inventory.add_supplierproduct", "inventory.change_supplierproduct"),
    "vehicles": ("inventory.add_fitment", "inventory.change_fitment", "inventory.delete_fitment"),
    "minimum": ("inventory.add_reorderrule", "inventory.change_reorderrule"),
    "counted": (ADJUST,),
}
PLACE = ("warehouse", "location")

type Rows = list[dict[str, Any]]


def number(value: Decimal | str | None) -> int | float | None:
    if value is None:
        return None
    exact = Decimal(value)
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def _quantity(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=19, decimal_places=6, required=False, **options)


class PlacedSerializer(StrictSerializer):
    warehouse = serializers.CharField(max_length=40, required=False, help_text="Its code.")
    location = serializers.CharField(max_length=40, required=False, help_text="Its code.")
    reorderThreshold = _quantity(source="minimum", min_value=0)  # noqa: N815  # as old clients name it
    vehicleModel = serializers.CharField(max_length=200, required=False)  # noqa: N815  # as above


class OldPartSerializer(PlacedSerializer):
    partId = serializers.CharField(max_length=100, required=False)  # noqa: N815  # as above
    name = serializers.CharField(max_length=200)
    sku = serializers.CharField(max_length=64, required=False)
    description = serializers.CharField(max_length=10_000, required=False, allow_blank=True)
    category = serializers.CharField(max_length=100, required=False)
    price = _quantity(min_value=0)
    supplier = serializers.CharField(max_length=200, required=False)
    vehicleModels = serializers.ListField(  # noqa: N815  # as above
        child=serializers.CharField(max_length=200), max_length=200, required=False,
    )
    quantity = _quantity(source="counted", min_value=0)


class OldStockSerializer(PlacedSerializer):
    quantity = _quantity(source="counted", min_value=0, help_text="What is there from now on.")
    change = _quantity(help_text="Signed.")
    note = serializers.CharField(max_length=500, required=False)


def in_old_shape(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "partId": row["id"], "sku": row["sku"], "name": row["name"], "description": row["description"],
        "category": row["category"], "vehicleModel": next(iter(row["vehicles"]), None), "vehicleModels": row["vehicles"],
        "price": number(row["price"]), "supplier": row["supplier"], "quantity": number(row["on_hand"]),
        "reorderThreshold": number(row["threshold"]), "createdAt": row["created_at"], "updatedAt": row["updated_at"],
    }


class OldPartPath(OldPath, ProductVariantViewSet):
    """What a path is about: the part of its address. One that is deleted is archived, and gone for these clients."""

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(archived_at=None)

    def seen_in(self) -> Any:
        """The warehouses whose stock may be told of: none for those who may see no stock."""
        return reach(holder(self.request), VIEW_STOCK)

    def parts(self, ids: Sequence[Any]) -> Rows:
        seen = self.seen_in()
        hidden = {"on_hand": None, "threshold": None} if seen == frozenset() else {}
        return [{**row, **hidden} for row in parts(ids, warehouses=seen)]

    def part(self) -> dict[str, Any]:
        """Raises Http404."""
        found = self.parts([self.key(self.kwargs["pk"])])
        if not found or found[0]["archived_at"]:
            raise Http404
        return found[0]

    def answer(
        self, shown: dict[str, Any], version: int | None, code: int = status.HTTP_200_OK, waits: StockAdjustment | None = None,
    ) -> Response:
        headers = {"ETag": tag_of(dumps(shown), version)}
        if waits:
            shown = {**shown, "pendingAdjustment": str(waits.pk)}
            code = status.HTTP_202_ACCEPTED if code == status.HTTP_200_OK else code
        return Response(shown, status=code, headers=headers)

    def read(self, request: Request, shown: dict[str, Any], version: int | None) -> HttpResponse:
        content = dumps(shown)
        return conditional(request, content, tag_of(content, version))

    def place(self, variant_id: UUID, given: Mapping[str, Any], permission: str, *, any_bin: bool = False) -> Location:
        """Where a quantity or a threshold is meant."""
        named = {name: given[name] for name in PLACE if name in given}
        warehouses = reach(holder(self.request), permission)
        found = place_of(variant_id=variant_id, **named, warehouses=None if named else warehouses, any_bin=any_bin)
        if warehouses is not None:
            refuse_outside(Location, [found.pk], warehouses)
        return found

    def demand(self, names: Iterable[str]) -> None:
        for permission in (needed for name in names for needed in NEEDS.get(name, ())):
            demand(self.request, permission)


class OldParts(OldPartPath):
    """`PUT` and `DELETE` name the part in the address, or as `partId` in the body."""

    fitting: list[UUID] | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method not in ("PUT", "DELETE"):
            return
        body = request.data if isinstance(request.data, Mapping) else {}
        if "pk" in kwargs:
            if str(body.get("partId", kwargs["pk"])).lower() != kwargs["pk"].lower():
                raise Invalid("The address and partId name two parts: leave partId out.", fields={"partId": "another part"})
            return
        self.kwargs["pk"] = body.get("partId") or request.query_params.get("partId")
        if not isinstance(self.kwargs["pk"], str):
            raise Invalid("Say which part: give its partId.", fields={"partId": "required"})
        if "HTTP_IF_MATCH" in request.META:
            self.require_version(self.kwargs["pk"])

    def row_conditions(self) -> Conditions:
        if self.fitting is None:
            return super().row_conditions()
        fits = (
            f"{BASE}.id IN (SELECT f.variant_id FROM inventory_fitment AS f"
            f" WHERE f.organization_id = {BASE}.organization_id AND f.vehicle_model_id = ANY (%s))"
        )
        return [*super().row_conditions(), (fits, [self.fitting])]

    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        query = request._request.GET.copy()
        if wanted := query.pop("vehicleModel", None):
            self.fitting = vehicle_models_meant(wanted)
        request._request.GET = query  # type: ignore[assignment]  # as the list reads it
        page = super().list
        return old_list(request, "parts", lambda: page(request), self._shown)

    def _shown(self, rows: Rows) -> Rows:
        return [in_old_shape(row) for row in self.parts([row["id"] for row in rows])]

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        row = self.part()
        return self.read(request, in_old_shape(row), row["version"])

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        demand(request, "inventory.add_product")
        given = self._given()
        self.demand(given)
        figures = {name: given.pop(name) for name in (*PLACE, "minimum", "counted") if name in given}
        variant = part_create(**given)
        return self._answered(variant.pk, status.HTTP_201_CREATED, waits=self._put_figures(variant.pk, figures))

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        demand(request, "inventory.change_product")
        variant, given = self.get_object(), self._given(partial=True)
        self.demand(given)
        figures = {name: given.pop(name) for name in (*PLACE, "minimum", "counted") if name in given}
        part_change(variant=variant, **given)
        return self._answered(variant.pk, waits=self._put_figures(variant.pk, figures))

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.kwargs["pk"] = key = str(self.get_object().pk)
        super().destroy(request, *args, **kwargs)
        return Response({"message": "Part deleted successfully", "partId": key})

    def _given(self, *, partial: bool = False) -> dict[str, Any]:
        given = self.checked(OldPartSerializer, partial=partial)
        given.pop("partId", None)
        texts = given.pop("vehicleModels", None)
        if (one := given.pop("vehicleModel", None)) is not None:
            texts = [one, *(texts or [])]
        if texts is not None:
            given["vehicles"] = texts
        if not given:
            raise Invalid("Give at least one field to update.", code="empty")
        return given

    def _put_figures(self, variant_id: UUID, figures: dict[str, Any]) -> StockAdjustment | None:
        if "minimum" in figures:
            place = self.place(variant_id, figures, "inventory.change_reorderrule", any_bin=True)
            threshold_set(variant_id=variant_id, warehouse_id=place.warehouse_id, minimum=figures["minimum"])
        if "counted" not in figures:
            return None
        place = self.place(variant_id, figures, ADJUST)
        return level_set(variant_id=variant_id, location_id=place.pk, counted=figures["counted"])

    def _answered(
        self, variant_id: UUID, code: int = status.HTTP_200_OK, *, waits: StockAdjustment | None = None,
    ) -> Response:
        self.kwargs["pk"] = str(variant_id)
        row = self.part()
        return self.answer(in_old_shape(row), row["version"], code, waits)


class OldStock(OldPartPath):
    """The level of a part: the same pieces for each vehicle model that it fits, with a threshold for each."""

    @property
    def permission(self) -> str:  # type: ignore[override]  # a view's own is the same for each method
        return ADJUST if self.request.method == "PUT" else VIEW_STOCK

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        wanted = request.query_params.getlist("vehicleModel")
        return self.read(request, self._shown(self.part(), vehicle_models_meant(wanted) if wanted else None), None)

    def require_version(self, pk: Any) -> None:
        """The level is what the tag is of: the part's own version says nothing about it."""
        ProductVariant.objects.select_for_update(no_key=True).filter(pk=self.key(pk)).first()
        refuse_stale(parse_tags("If-Match", self.request.META["HTTP_IF_MATCH"]), tag_of(dumps(self._shown(self.part()))), None)

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        variant: ProductVariant = self.get_object()
        given = self.checked(OldStockSerializer)
        if not given.keys() & {"counted", "change", "minimum"}:
            raise Invalid("Give quantity, change or reorderThreshold.", code="empty")
        models = vehicle_models_meant([given["vehicleModel"]]) if "vehicleModel" in given else [None]
        self.demand(given)
        if "minimum" in given:
            place = self.place(variant.pk, given, "inventory.change_reorderrule", any_bin=True)
            threshold_set(
                variant_id=variant.pk, warehouse_id=place.warehouse_id, minimum=given["minimum"], vehicle_models=models,
            )
        waits = None
        if "counted" in given or "change" in given:
            figures = {name: given.get(name) for name in ("counted", "change")}
            place = self.place(variant.pk, given, ADJUST)
            waits = level_set(variant_id=variant.pk, location_id=place.pk, note=given.get("note", ""), **figures)
        return self.answer(self._shown(self.part()), None, waits=waits)

    def _shown(self, row: Mapping[str, Any], models: Sequence[UUID] | None = None) -> dict[str, Any]:
        key, within = row["id"], {"warehouses": self.seen_in()}
        quantity = number(row["on_hand"])
        return {
            "partId": key, "sku": row["sku"], "name": row["name"], "quantity": quantity, "reserved": number(row["reserved"]),
            "available": number(row["available"]), "reorderThreshold": number(row["threshold"]), "isLow": row["is_low"],
            "levels": [
                {"vehicleModel": one["label"], "vehicleModelId": one["id"], "quantity": quantity,
                 "reorderThreshold": number(one["threshold"]), "isLow": one["is_low"]}
                for one in levels_by_vehicle(key, vehicle_models=models, **within)
            ],
            "locations": [
                {**one, **{name: number(one[name]) for name in ("quantity", "reserved", "available")}}
                for one in places(key, **within)
            ],
        }  # fmt: skip


def _names(model: Any, rows: Sequence[Mapping[str, Any]], column: str, label: Any) -> dict[str, str]:
    """What to call the rows that a page refers to, by id."""
    ids = {row[column] for row in rows if row[column]}
    return {str(row.pk): label(row) for row in model.objects.filter(pk__in=ids)}


class OldLowStock(OldPath, LowStockViewSet):
    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        page = super().list
        return old_list(request, "items", lambda: page(request), self._shown)

    def _shown(self, rows: Rows) -> Rows:
        names = _names(ProductVariant, rows, "variant", lambda variant: variant.name)
        models = _names(VehicleModel, rows, "vehicle_model", str)
        return [
            {"partId": row["variant"], "sku": row["sku"], "name": names[row["variant"]],
             "vehicleModel": models.get(row["vehicle_model"]), "warehouse": row["warehouse_code"],
             "quantity": number(row["level"]), "reorderThreshold": number(row["min_quantity"])}
            for row in rows
        ]  # fmt: skip


class OldReorderTasks(OldPath, ReorderTaskViewSet):
    """The open ones, unless another `status` is asked for."""

    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        page = super().list
        return old_list(request, "tasks", lambda: page(request), self._shown, status="open")

    def _shown(self, rows: Rows) -> Rows:
        models = _names(VehicleModel, rows, "vehicle_model", str)
        return [
            {"taskId": row["id"], "partId": row["variant"], "sku": row["sku"], "name": row["variant_name"],
             "vehicleModel": models.get(row["vehicle_model"]), "warehouse": row["warehouse_code"],
             "quantity": number(row["triggered_quantity"]), "reorderThreshold": number(row["threshold"]),
             "suggestedQuantity": number(row["suggested_quantity"]), "status": row["status"], "createdAt": row["created_at"]}
            for row in rows
        ]  # fmt: skip


class OldReorderCheck(OldPath, ReorderTaskViewSet):
    permission = "inventory.run_reorder_check"

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        made = reorder_check(warehouses=self.may_change_in())
        return Response({"message": f"The check made {made} new tasks.", "tasksCreated": made})


class OldAnalytics(OldPath):
    permission_classes = (SignedIn,)

    def get(self, request: Request) -> HttpResponse:
        found = asdict(statistics(request))
        return json({
            "totalParts": found["variants"], "totalQuantity": number(found["on_hand"]), "totalValue": number(found["value"]),
            "currency": found["currency"], "lowStockCount": found["low"], "outOfStockCount": found["out_of_stock"],
            "openReorderTasks": found["open_reorder_tasks"], "turnover": number(found["turnover"]), "days": found["days"],
            "topMovers": [
                {"partId": one["variant"], "sku": one["sku"], "name": one["name"], "quantity": number(one["issued"])}
                for one in found["top_movers"]
            ],
            "byCategory": [
                {"category": one["name"] or None, "parts": one["variants"], "quantity": number(one["on_hand"]),
                 "value": number(one["value"])}
                for one in found["by_category"]
            ],
        })  # fmt: skip


urlpatterns = [
    re_path(
        r"^parts/?$", OldParts.as_view({"get": "list", "post": "create", "put": "update", "delete": "destroy"}),
        name="old-parts",
    ),
    re_path(
        r"^parts/(?P<pk>[^/]+)/?$", OldParts.as_view({"get": "retrieve", "put": "update", "delete": "destroy"}), name="old-part",
    ),
    re_path(r"^stock/low/?$", OldLowStock.as_view({"get": "list"}), name="old-low-stock"),
    re_path(r"^stock/(?P<pk>[^/]+)/?$", OldStock.as_view({"get": "retrieve", "put": "update"}), name="old-stock"),
    re_path(r"^reorder/tasks/?$", OldReorderTasks.as_view({"get": "list"}), name="old-reorder-tasks"),
    re_path(r"^reorder/check/?$", OldReorderCheck.as_view({"post": "create"}), name="old-reorder-check"),
    re_path(r"^analytics/?$", OldAnalytics.as_view(), name="old-analytics"),
]
