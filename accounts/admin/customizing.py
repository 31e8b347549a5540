from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.postgres.forms import SimpleArrayField
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from accounts.admin.objects import type_name, types_name
from accounts.models import CustomFieldDefinition, SavedFilter
from accounts.services.customizing import definition_delete, definition_save, refuse_other_owner, values_clear
from core.admin import TenantAdmin
from core.admin_actions import confirmed
from core.admin_forms import TenantModelForm
from core.custom_fields import custom_models


def model_choices() -> list[tuple[str, str]]:
    return [(label, str(model._meta.verbose_name).capitalize()) for label, model in sorted(custom_models().items())]


class CustomFieldDefinitionForm(TenantModelForm):
    model = forms.ChoiceField(choices=model_choices, widget=UnfoldAdminSelectWidget, help_text="Whose field it is.")
    choices = SimpleArrayField(
        forms.CharField(max_length=100, required=False), delimiter="\n", required=False, widget=UnfoldAdminTextareaWidget,
        help_text="Of choice and multi-choice, one on each line.",
    )

    def clean_choices(self) -> list[str]:
        return [text for line in self.cleaned_data["choices"] if (text := line.strip())]


@admin.register(CustomFieldDefinition)
class CustomFieldDefinitionAdmin(TenantAdmin):
    form = CustomFieldDefinitionForm
    list_display = ["whose", "key", "label", "type", "required", "position"]
    ordering = ("model", "key")
    actions_detail = ["clear"]

    @admin.display(description="whose field", ordering="model")
    def whose(self, definition: CustomFieldDefinition) -> str:
        return type_name(definition.model)

    def save_model(self, request: HttpRequest, obj: CustomFieldDefinition, form: Any, change: bool) -> None:
        definition_save(definition=obj)

    def delete_model(self, request: HttpRequest, obj: CustomFieldDefinition) -> None:
        definition_delete(definition=obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for definition in queryset:
            definition_delete(definition=definition)

    @action(description="Clear values", url_path="clear", permissions=["delete"])
    @confirmed("Take this field's value away from every row that has one?")
    def clear(self, request: HttpRequest, object_id: str) -> HttpResponse:
        definition = self.get_object(request, object_id)
        if definition is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        self.message_user(request, f"{values_clear(definition=definition)} rows changed.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:accounts_customfielddefinition_change", args=[definition.pk]))


@admin.register(SavedFilter)
class SavedFilterAdmin(TenantAdmin):
    """Made through the API, which knows what its lists can be asked; here one sees, shares and deletes one's own."""

    list_display = ["name", "lists", "query", "owner", "visibility"]
    list_select_related = ["owner"]
    list_filter = ["visibility"]
    readonly_fields = ["lists", "query", "columns", "sort", "owner"]
    fields = ["name", "visibility", "lists", "query", "columns", "sort", "owner"]

    @admin.display(description="list", ordering="model")
    def lists(self, saved: SavedFilter) -> str:
        return types_name(saved.model)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(Q(visibility="shared") | Q(owner_id=request.user.pk))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.owner_id == request.user.pk)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.owner_id == request.user.pk)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for saved in queryset:
            refuse_other_owner(saved)
        super().delete_queryset(request, queryset)
