"""What every admin page does; an admin class states its columns, search keys and filters."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.options import BaseModelAdmin, ShowFacets
from django.contrib.admin.utils import flatten, unquote
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import PermissionDenied
from django.db import DataError, IntegrityError, models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.formats import number_format
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldForeignKeyRawIdWidget

from core.admin_annotations import AnnotatedAdmin
from core.admin_archive import ArchivingAdmin
from core.admin_attachments import AttachingAdmin
from core.admin_custom_fields import CustomFieldsAdmin
from core.admin_export import ExportingAdmin
from core.admin_forms import ReferenceWidget, TenantModelForm, changed_columns, is_value, refusal
from core.admin_limits import WithinWarehousesAdmin
from core.changelist import ArchivedFilter, KeysetChangeList, ReferenceFilter, UncountedPaginator, indexed_columns
from core.errors import DomainError
from core.fields import SearchKeyField
from core.history import labelled
from core.lookups import starts_with
from core.models import AuditedModel, TenantRow
from core.paging import BadCursor

# Kept by the database: shown, never asked for.
RECORD = ("created_at", "updated_at", "archived_at", "version")
REFUSALS = (IntegrityError, DataError, DomainError)


class TenantFields(BaseModelAdmin):
    """References are found by typing, never in a list of all rows."""

    admin_site: Any  # a QuartermasterSite, which core does not know

    def get_autocomplete_fields(self, request: HttpRequest) -> list[str]:
        derived = [field.name for field in references(self.opts.model) if self._is_searchable(field, request)]
        return list(dict.fromkeys([*self.autocomplete_fields, *derived]))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A reference to rows without search keys is chosen on their own page."""
        if "widget" not in kwargs and db_field.name not in (*self.radio_fields, *self.raw_id_fields):
            if db_field.name in self.get_autocomplete_fields(request):
                kwargs["widget"] = ReferenceWidget(db_field, self.admin_site, using=kwargs.get("using"))
            elif issubclass(db_field.related_model, TenantRow):
                kwargs["widget"] = UnfoldForeignKeyRawIdWidget(db_field.remote_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _is_searchable(self, field: Any, request: HttpRequest) -> bool:
        target, site = field.related_model, self.admin_site
        if not field.editable or field.name in (*self.radio_fields, *self.raw_id_fields) or not site.is_registered(target):
            return False
        return bool(site.get_model_admin(target).get_search_fields(request))


class TenantAdmin(
    WithinWarehousesAdmin, TenantFields, CustomFieldsAdmin, ModelAdmin, ArchivingAdmin, AttachingAdmin, AnnotatedAdmin,
    ExportingAdmin,
):
    """CRUD for one model. Managers, references and autocomplete see one organization: no filter is needed here."""

    form = TenantModelForm
    formfield_overrides: ClassVar[Any] = {ArrayField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 2})}}
    search_keys: ClassVar[Sequence[str]] = ()  # columns looked for by their beginning, best of SearchKeyField
    searcher: ClassVar[Any] = None  # a core.searching.Searcher: finds rows by words instead
    says_when_empty: ClassVar[str] = ""  # how the first row comes about, where nobody adds it on this page
    in_palette = True  # Ctrl+K finds its rows, if it has search keys
    ordering: ClassVar[Any] = ("-id",)
    list_per_page = 50
    paginator = UncountedPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    view_on_site = False
    warn_unsaved_form = True
    change_form_outer_after_template = "admin/object_attachments.html"

    # --- The list -------------------------------------------------------------------------------------------
    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Not by a secret: who filters by its beginning learns it letter by letter."""
        secret = getattr(self.model, "audit_redacted", ())
        return lookup.partition("__")[0] not in secret and super().lookup_allowed(lookup, value, request)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return KeysetChangeList

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [plainly(self.model, name) for name in super().get_list_display(request)]

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """Shown columns that have an index; `sortable_by` names more, for tables that stay small."""
        sortable = indexed_columns(self.model) | set(self.sortable_by or ())
        return [name for name in self.get_list_display(request) if name in sortable]

    def get_list_select_related(self, request: HttpRequest) -> list[str]:
        """The references that the list shows; Django would join every one that is never null."""
        declared = list(self.list_select_related) if isinstance(self.list_select_related, list | tuple) else []
        shown = self.get_list_display(request)
        return [*declared, *(field.name for field in references(self.model) if field.name in shown)]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """A reference is filtered by its first rows; the list of all of them may be without end."""
        named = {field.name for field in references(self.model)}
        filters = [(one, ReferenceFilter) if one in named else one for one in super().get_list_filter(request)]
        return [*filters, *([ArchivedFilter] if self.archivable else [])]

    def get_search_fields(self, request: HttpRequest) -> Any:
        return self.search_keys

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[models.QuerySet, bool]:
        text = search_term.strip()
        if not text or not self.search_keys:
            return queryset, False
        if "\0" in text:
            return queryset.none(), False
        if self.searcher:
            return self.searcher(text).narrow(queryset), False
        return queryset.filter(starts_with(self.model, self.search_keys, text)), False

    def palette_cards(self, request: Any, rows: Sequence[Any]) -> dict[Any, tuple[str, str]]:
        """By row: the address of a card that Ctrl+K opens in the place of the form, and what it says of the row."""
        return {}

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.method != "POST":
            return super().changelist_view(request, extra_context)
        return self._or_said_why(request, lambda: super(TenantAdmin, self).changelist_view(request, extra_context))

    # --- The form -------------------------------------------------------------------------------------------
    def record_fields(self) -> list[str]:
        columns = {field.name for field in self.opts.concrete_fields}
        return [name for name in RECORD if name in columns]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fieldsets = list(super().get_fieldsets(request, obj))
        shown = [name for _, options in fieldsets for name in flatten(options["fields"])]
        record = [name for name in self.record_fields() if name not in shown]
        return [*fieldsets, ("Record", {"fields": record, "classes": ["collapse"]})] if obj and record else fieldsets

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """A new row has nothing to look at yet: what is read alone is left out."""
        hidden = {*self.record_fields(), *(() if obj else self.get_readonly_fields(request, obj))}
        return [name for name in super().get_fields(request, obj) if name not in hidden]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return list(dict.fromkeys([*super().get_readonly_fields(request, obj), *self.record_fields()]))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.refused = getattr(request, "refused", None)  # Django has just made this class, for this request
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Without what is no value of its field, as where an address was cut off."""
        fields = {field.name: field for field in self.model._meta.concrete_fields}
        found = super().get_changeform_initial_data(request)
        return {name: value for name, value in found.items() if name not in fields or is_value(fields[name], value)}

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None,
    ) -> HttpResponse:
        """What the database or a service refuses is said in the form."""
        context = {
            "show_history": self.shows_history(request), **self.attachments_context(request, object_id), **(extra_context or {}),
        }
        try:
            return super().changeform_view(request, object_id, form_url, context)
        except REFUSALS as error:
            if (refused := refusal(error)) is None:
                raise
            request.refused = refused  # type: ignore[attr-defined]  # for `get_form`
        return super().changeform_view(request, object_id, form_url, context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Writes the changed columns alone. Where a model calls a service, its admin overrides this."""
        if not change:
            obj.save()
        elif changed := changed_columns(obj, form.changed_data):
            obj.save(update_fields=changed)
        for action in self.get_actions_submit_line(request, obj.pk):
            if action.action_name in request.POST:
                action.method(request, obj)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.save(commit=False)
        for row in formset.deleted_objects:
            row.delete()
        for row, names in formset.changed_objects:
            row.save(update_fields=changed_columns(row, names))
        for row in formset.new_objects:
            row.save()
        formset.save_m2m()

    # --- Deleting -------------------------------------------------------------------------------------------
    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """The rows themselves: what refers to them may be without end, and the database knows it."""
        names = [str(row) for row in objs]
        return names, {str(self.opts.verbose_name_plural): len(names)}, set(), []

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return self._or_said_why(request, lambda: super(TenantAdmin, self).delete_view(request, object_id, extra_context))

    def _or_said_why(self, request: HttpRequest, do: Callable[[], HttpResponse]) -> HttpResponse:
        """All or nothing: back where the request came from, with the reason."""
        try:
            with transaction.atomic():
                return do()
        except REFUSALS as error:
            if (refused := refusal(error)) is None:
                raise
            self.message_user(request, " ".join(refused.values()), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    # --- History --------------------------------------------------------------------------------------------
    def shows_history(self, request: HttpRequest) -> bool:
        return issubclass(self.model, AuditedModel) and bool(self.admin_site.shows_history(request))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """From the audit trail, which sees every change; Django's own log sees those of the admin alone."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        if not (self.has_view_or_change_permission(request, row) and self.shows_history(request)):
            raise PermissionDenied
        try:
            page = self.admin_site.audit_lines(self.model, row.pk, request.GET.get("cursor"))
        except BadCursor:
            return HttpResponseRedirect(request.path)
        context = {
            **self.admin_site.each_context(request), "title": "History", "subtitle": str(row), "opts": self.opts,
            "object": row, "entries": labelled(self.model, page.rows), "page": page,
            "preserved_filters": self.get_preserved_filters(request), **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/object_history.html", context)

    def log_addition(self, *args: Any, **kwargs: Any) -> Any:
        """The audit trigger does it; Django's log is shared by all organizations and would leak names."""

    def log_change(self, *args: Any, **kwargs: Any) -> Any:
        """As above."""

    def log_deletions(self, *args: Any, **kwargs: Any) -> Any:
        """As above."""


class ReadOnlyTenantAdmin(TenantAdmin):
    """Ledgers and rows of the machinery: looked at, never touched."""

    actions: Any = None
    warn_unsaved_form = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm(f"{self.opts.app_label}.view_{self.opts.model_name}"))

    def record_fields(self) -> list[str]:
        return []

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        columns = [field for field in self.opts.concrete_fields if not isinstance(field, SearchKeyField)]
        names = self.fields or [field.name for field in columns if field.name != "organization"]
        return [plainly(self.model, name) for name in names]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.get_fields(request, obj)


class TenantTabularInline(TenantFields, TabularInline):
    """Rows that belong to the row above, a line each; for few."""

    form = TenantModelForm
    extra = 0
    tab = True


class TenantStackedInline(TenantFields, StackedInline):
    form = TenantModelForm
    extra = 0
    tab = True


def plainly(model: type[models.Model], name: Any) -> Any:
    """In place of a column of quantities or amounts: 38 instead of 38.000000."""
    field = next((field for field in model._meta.concrete_fields if field.name == name), None)
    output = field.output_field if isinstance(field, models.GeneratedField) else field
    if not isinstance(output, models.DecimalField):
        return name

    def shown(row: models.Model) -> str | None:
        value = getattr(row, name)
        return None if value is None else number_format(f"{value.normalize():f}")

    shown.short_description = field.verbose_name  # type: ignore[attr-defined, union-attr]  # where Django looks for a heading
    shown.__name__ = name
    return shown


def references(model: type[models.Model]) -> list[Any]:
    return [
        field for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and field.name != "organization"
    ]
