from django.contrib import admin

from accounts.models import NumberSequence
from core.admin import TenantAdmin


@admin.register(NumberSequence)
class NumberSequenceAdmin(TenantAdmin):
    list_display = ["document_type", "pattern", "next_value", "reset", "gapless"]
    ordering = ("document_type",)
