from functools import cached_property
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextInputWidget

from core.admin import TenantAdmin, TenantTabularInline
from core.admin_forms import TenantModelForm
from inventory.models import AttributeDefinition, ProductAttributeValue
from inventory.models.attributes import shown
from inventory.queries.attributes import LONGEST_TEXT, attributes

COLUMNS = ("value_text", "value_number", "unit", "value_boolean", "value_date")


class AttributeValueForm(TenantModelForm):
    """One input for values of every type, read as the attribute says: red, 128 GB, yes, 2026-01-31."""

    value = forms.CharField(max_length=LONGEST_TEXT, widget=UnfoldAdminTextInputWidget, help_text="With its unit: 128 GB.")

    class Meta:
        model = ProductAttributeValue
        fields = ["definition", "product", "variant"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "product" in self.fields:
            self.fields["product"].required = False  # of a variant the database knows it
        if not self.instance._state.adding:
            self.initial.setdefault("value", shown(self.instance))

    def clean(self) -> Any:
        cleaned = super().clean()
        definition = self.cleaned_data.get("definition")
        if definition is None or "value" not in self.cleaned_data:
            return cleaned
        try:
            parsed = attributes([definition.code]).parsed(definition, self.cleaned_data["value"])
        except ValueError as error:
            self.add_error("value", str(error))
            return cleaned
        for column in COLUMNS:
            setattr(self.instance, column, None)
        setattr(self.instance, parsed.column, parsed.value)
        self.instance.unit = parsed.unit
        return cleaned

    @cached_property
    def changed_data(self) -> list[str]:
        """The columns behind the input, in its place."""
        names = super().changed_data
        read_anew = {"value", "definition"} & set(names)
        return [*(name for name in names if name != "value"), *(COLUMNS if read_anew else ())]


class AttributeValueInline(TenantTabularInline):
    model = ProductAttributeValue
    form = AttributeValueForm
    fields = ["definition", "value"]
    verbose_name_plural = "attributes"

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        rows = super().get_queryset(request).select_related("definition", "unit")
        return rows.order_by("definition__position", "definition__code")


class ProductAttributeValueInline(AttributeValueInline):
    """Those of the product itself, without its variants'."""

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).filter(variant=None)


@admin.register(AttributeDefinition)
class AttributeDefinitionAdmin(TenantAdmin):
    list_display = ["code", "name", "data_type", "unit", "is_variant_axis", "is_filterable"]
    list_filter = ["data_type", "is_variant_axis"]
    search_keys = ["code"]


@admin.register(ProductAttributeValue)
class ProductAttributeValueAdmin(TenantAdmin):
    form = AttributeValueForm
    list_display = ["definition", "product", "variant", "value"]
    list_select_related = ["unit"]
    fields = ["definition", "product", "variant", "value"]

    @admin.display(description="value")
    def value(self, row: ProductAttributeValue) -> str:
        return shown(row)
