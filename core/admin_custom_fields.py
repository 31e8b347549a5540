"""Custom fields on the pages of rows: an input for each definition, and a filter for each choice."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import escape, format_html_join
from django.utils.safestring import SafeString
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminNullBooleanSelectWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextInputWidget,
    UnfoldAdminURLInputWidget,
)  # fmt: skip

from core.admin_forms import CUSTOM, TenantModelForm
from core.changelist_filters import CustomFieldFilter
from core.custom_fields import CustomFieldsModel, WrongValues, checked, definitions_of
from core.custom_values import Definition

FILTERED_TYPES = ("choice", "multi-choice", "boolean")

type Field = Callable[..., forms.Field]


def _choices(definition: Definition) -> list[tuple[str, str]]:
    return [(choice, choice) for choice in definition.choices]


FIELDS: Mapping[str, Callable[[Definition], Field]] = {
    "text": lambda one: partial(forms.CharField, widget=UnfoldAdminTextInputWidget, strip=False),
    "integer": lambda one: partial(forms.IntegerField, widget=UnfoldAdminIntegerFieldWidget),
    "decimal": lambda one: partial(forms.DecimalField, widget=UnfoldAdminDecimalFieldWidget, max_digits=19, decimal_places=6),
    "boolean": lambda one: partial(forms.NullBooleanField, widget=UnfoldAdminNullBooleanSelectWidget),
    "date": lambda one: partial(forms.DateField, widget=UnfoldAdminSingleDateWidget),
    "choice": lambda one: partial(
        forms.ChoiceField, widget=UnfoldAdminSelectWidget, choices=[("", "---------"), *_choices(one)],
    ),
    "multi-choice": lambda one: partial(
        forms.MultipleChoiceField, widget=UnfoldAdminSelect2MultipleWidget, choices=_choices(one),
    ),
    "url": lambda one: partial(forms.URLField, widget=UnfoldAdminURLInputWidget, assume_scheme="https"),
}


class CustomFieldsForm(TenantModelForm):
    """Writes the values that were changed into the row's custom fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.definitions = definitions_of(type(self.instance))
        held = self.instance.custom_fields
        for key, definition in self.definitions.items():
            self.initial.setdefault(CUSTOM + key, _shown(definition, held.get(key)))

    def clean(self) -> Any:
        cleaned = super().clean()
        names = [name for name in map(CUSTOM.__add__, self.definitions) if name in self.fields]
        if any(name in self.errors for name in names):
            return cleaned
        new = self.instance._state.adding
        written = names if new else [name for name in names if name in self.changed_data]
        change = {name.removeprefix(CUSTOM): _plain(self.cleaned_data[name]) for name in written}
        if change or new:
            self._take(change, None if new else self.instance.custom_fields)
        return cleaned

    def _take(self, change: Mapping[str, Any], before: Mapping[str, Any] | None) -> None:
        try:
            self.instance.custom_fields = checked(type(self.instance), change, before)
        except WrongValues as error:
            for key, text in error.fields.items():
                self.add_error(CUSTOM + key if CUSTOM + key in self.fields else None, text)


class CustomFieldsAdmin(admin.ModelAdmin):
    @property
    def customized(self) -> bool:
        return issubclass(self.model, CustomFieldsModel)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if self.customized and definitions_of(self.model):
            kwargs["form"] = type(self.form.__name__, (CustomFieldsForm, self.form), self._declared())
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [name for name in super().get_fields(request, obj) if not str(name).startswith(CUSTOM)]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fieldsets = list(super().get_fieldsets(request, obj))
        if not (self.customized and definitions_of(self.model)):
            return fieldsets
        may_change = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        fields = [CUSTOM + key for key in definitions_of(self.model)] if may_change else ["custom_values"]
        return [*fieldsets, ("Custom fields", {"fields": fields})]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        known = definitions_of(self.model).values() if self.customized else ()
        custom = [partial(CustomFieldFilter, one) for one in known if one.type in FILTERED_TYPES]
        return [*super().get_list_filter(request), *custom]

    @admin.display(description="values")
    def custom_values(self, row: Any) -> SafeString:
        held = [(one.label, row.custom_fields.get(key)) for key, one in definitions_of(self.model).items()]
        return format_html_join("", "<div>{}: {}</div>", ((label, _words(value)) for label, value in held if value is not None))

    def _declared(self) -> dict[str, forms.Field]:
        return {
            CUSTOM + key: FIELDS[one.type](one)(label=one.label, help_text=escape(one.help_text), required=one.required)
            for key, one in definitions_of(self.model).items()
        }


def _shown(definition: Definition, value: Any) -> Any:
    try:
        if value is not None and definition.type in ("decimal", "date"):
            return Decimal(value) if definition.type == "decimal" else date.fromisoformat(value)
    except (ValueError, TypeError, InvalidOperation):
        return None
    return value


def _plain(value: Any) -> Any:
    if value in (None, "", []):
        return None
    return value.isoformat() if isinstance(value, date) else f"{value:f}" if isinstance(value, Decimal) else value


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return ", ".join(value) if isinstance(value, list) else str(value)
