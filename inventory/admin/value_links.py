"""From the page of a variant, or of a balance, to what it is worth and why."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from unfold.decorators import action

from inventory.admin.value_pages import SEE, why_url
from inventory.models import StockItem


class ValueLink:
    """For an admin whose `actions_detail` names "value"."""

    @action(description="What it is worth", url_path="value", permissions=["value"])
    def value(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        if isinstance(row, StockItem):
            return HttpResponseRedirect(why_url(row.variant_id, row.warehouse_id))
        return HttpResponseRedirect(f"{reverse('admin:inventory_value')}?{urlencode({'group_by': 'stock', 'variant': row.pk})}")

    def has_value_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(SEE))
