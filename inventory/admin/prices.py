from typing import Any

from django.contrib import admin
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from core.admin import TenantAdmin
from core.admin_forms import refusal
from core.errors import Invalid
from core.lookups import starts_with
from inventory.admin.price_pages import ChangeForm, CopyForm, change_page, cost_page
from inventory.models import PriceList, PriceListItem, ProductVariant
from inventory.services.prices import price_list_change, price_list_copy

MOST_VARIANTS = 500  # whose prices a search shows


@admin.register(PriceListItem)
class PriceListItemAdmin(TenantAdmin):
    """Searched by the beginning of a SKU or a name: the variants first, then their prices, both by an index."""

    list_display = ["price_list", "variant", "min_quantity", "price", "valid_from", "valid_to"]
    list_select_related = ["variant", "price_list"]
    search_keys = ("variant__sku_key", "variant__name_key")
    search_help_text = "The beginning of a SKU or a name."
    in_palette = False

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[QuerySet, bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        if "\0" in text:
            return queryset.none(), False
        found = ProductVariant.objects.filter(starts_with(ProductVariant, ("sku_key", "name_key"), text))
        return queryset.filter(variant__in=list(found.values_list("pk", flat=True)[:MOST_VARIANTS])), False


@admin.register(PriceList)
class PriceListAdmin(TenantAdmin):
    list_display = ["code", "name", "kind", "currency", "priority", "party", "valid_from", "valid_to", "is_active"]
    list_filter = ["kind", "is_active"]
    search_keys = ["code_key", "name_key"]
    actions_list = ["what_does_it_cost"]
    actions_detail = ["prices", "new_price", "copy", "change_prices"]

    @action(description="What does it cost?", url_path="what-does-it-cost", permissions=["view"])
    def what_does_it_cost(self, request: HttpRequest) -> HttpResponse:
        return cost_page(self, request, self.admin_site.get_model_admin(PriceListItem))

    @action(description="Prices", url_path="prices", permissions=["view_items"])
    def prices(self, request: HttpRequest, object_id: str) -> HttpResponse:
        address = reverse("admin:inventory_pricelistitem_changelist")
        return HttpResponseRedirect(f"{address}?price_list__id__exact={object_id}")

    @action(description="New price", url_path="new-price", permissions=["add_items"])
    def new_price(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(f"{reverse('admin:inventory_pricelistitem_add')}?price_list={object_id}")

    @action(description="Copy", url_path="copy", permissions=["copy"])
    def copy(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row: Any = self.get_object(request, object_id)
        if row is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        form = CopyForm(request.POST if request.method == "POST" else None)

        def do() -> PriceList:
            given = form.cleaned_data
            try:
                with transaction.atomic():
                    return price_list_copy(price_list_id=row.pk, code=given["code"], name=given["name"], change=form.change)
            except IntegrityError as error:
                raise Invalid(" ".join((refusal(error) or {"": "The database refuses it."}).values())) from error

        return change_page(self, request, row, form, "Copy the list", do)

    @action(description="Change prices", url_path="change-prices", permissions=["change_items"])
    def change_prices(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row: Any = self.get_object(request, object_id)
        if row is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        form = ChangeForm(request.POST if request.method == "POST" else None)

        def do() -> PriceList:
            price_list_change(price_list_id=row.pk, change=form.change)
            return row  # type: ignore[no-any-return]

        return change_page(self, request, row, form, "Change the prices", do)

    def has_view_items_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("inventory.view_pricelistitem"))

    def has_copy_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(self.has_add_permission(request) and self.has_add_items_permission(request))

    def has_add_items_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("inventory.add_pricelistitem"))

    def has_change_items_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("inventory.change_pricelistitem"))
