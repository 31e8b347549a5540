from django.contrib import admin

from accounts.models import Address, Contact, Party
from core.admin import TenantAdmin, TenantStackedInline


class AddressInline(TenantStackedInline):
    model = Address


class ContactInline(TenantStackedInline):
    model = Contact


@admin.register(Party)
class PartyAdmin(TenantAdmin):
    list_display = ["name", "kind", "tax_number", "gln", "payment_terms_days", "updated_at"]
    list_filter = ["kind"]
    search_keys = ("name_key",)
    ordering = ("name",)
    inlines = [AddressInline, ContactInline]


@admin.register(Address)
class AddressAdmin(TenantAdmin):
    list_display = ["street1", "postal_code", "city", "country", "kind", "party", "is_default"]
    list_filter = ["kind"]


@admin.register(Contact)
class ContactAdmin(TenantAdmin):
    list_display = ["name", "party", "position", "email", "phone", "is_primary"]
    search_keys = ("name_key",)
