from django.contrib import admin

from core.admin import TenantAdmin, TenantTabularInline
from inventory.models import ProductRelation


class RelationInline(TenantTabularInline):
    """This variant's sentences: it supersedes, is an alternative to, or is an accessory of another one."""

    model = ProductRelation
    fk_name = "from_variant"
    fields = ["kind", "to_variant", "valid_from", "note"]
    verbose_name_plural = "relations"


class RelatedInline(TenantTabularInline):
    """Others' sentences about this variant, such as what supersedes it."""

    model = ProductRelation
    fk_name = "to_variant"
    fields = ["from_variant", "kind", "valid_from", "note"]
    verbose_name_plural = "related by"


@admin.register(ProductRelation)
class ProductRelationAdmin(TenantAdmin):
    list_display = ["from_variant", "kind", "to_variant", "valid_from"]
    list_filter = ["kind"]
