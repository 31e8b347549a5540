from django.contrib import admin

from core.admin import TenantAdmin, TenantTabularInline
from inventory.models import BomLine


class BomLineInline(TenantTabularInline):
    model = BomLine
    fk_name = "assembly"
    fields = ["component", "quantity", "scrap_percent", "is_optional", "position", "note"]
    ordering = ["position", "id"]
    verbose_name_plural = "bill of materials"


@admin.register(BomLine)
class BomLineAdmin(TenantAdmin):
    list_display = ["assembly", "component", "quantity", "scrap_percent", "is_optional"]
