from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action

from core.admin import ReadOnlyTenantAdmin
from core.admin_actions import confirmed
from core.limits import reach
from inventory.models import DemandForecast
from inventory.queries.forecasts import demand_history
from inventory.services.forecasts import forecasts_compute

RUN = "inventory.run_demandforecast"


@admin.register(DemandForecast)
class DemandForecastAdmin(ReadOnlyTenantAdmin):
    list_display = [
        "variant", "warehouse", "period_start", "quantity", "low", "high", "method", "error", "actual",
    ]
    list_filter = ["warehouse", "method"]
    actions_list = ["compute_now"]
    actions_detail = ["demand"]

    @action(description="Compute now", url_path="compute", permissions=["compute_now"])
    @confirmed("Forecast the demand of this week anew, from the issues of the last year?")
    def compute_now(self, request: Any) -> HttpResponse:
        found = forecasts_compute(warehouses=reach(request.principal, RUN))
        self.message_user(
            request, f"{found['forecasts']} forecasts; {found['minimums']} reorder rules have another minimum by them.",
            messages.SUCCESS,
        )
        return HttpResponseRedirect(reverse("admin:inventory_demandforecast_changelist"))

    @action(description="Demand", url_path="demand")
    def demand(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What it was made of, week by week."""
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        weeks = demand_history(variant_id=row.variant_id, warehouse_id=row.warehouse_id, until=row.period_start)
        most = max((week.quantity for week in weeks), default=0)
        context = {
            **self.admin_site.each_context(request), "title": "Demand", "subtitle": str(row), "opts": self.opts, "forecast": row,
            "weeks": [(week.period_start, week.quantity, int(100 * week.quantity / most) if most else 0) for week in weeks],
            "method_errors": [(DemandForecast.Method(name).label, error) for name, error in row.method_errors.items()],
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/inventory/demandforecast/demand.html", context)

    def has_compute_now_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(RUN))
