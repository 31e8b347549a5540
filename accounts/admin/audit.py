"""The audit trail as people read it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.models import AuditEntry, AuditSeal, Membership
from accounts.queries.trail import Told, audited_models, kind_of, told
from core.admin import ReadOnlyTenantAdmin
from core.changelist import KeysetChangeList
from core.history import Change

SHOWN_CHANGES = 6
MOST_PEOPLE = 50
PERIODS = {"today": (0, "Today"), "week": (7, "Last 7 days"), "month": (30, "Last 30 days")}
LOOKUPS = ("row_id", "table_name", "actor_id", "request_id", "created_at__gte", "created_at__lt")


class Trail(KeysetChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        for entry, words in zip(self.result_list, told(self.result_list), strict=True):
            entry.told = words


class ActorFilter(admin.SimpleListFilter):
    """The first members by e-mail address; a link may name anybody."""

    title = "who"
    parameter_name = "actor_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        members = Membership.objects.select_related("user").order_by("user__email")[:MOST_PEOPLE]
        return [(str(member.user_id), str(member.user)) for member in members]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not self.value():
            return queryset
        try:
            return queryset.filter(actor_id=UUID(self.value()))
        except ValueError:
            return queryset.none()


class KindFilter(admin.SimpleListFilter):
    title = "kind of object"
    parameter_name = "table_name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return sorted(((table, kind_of(table)) for table in audited_models()), key=lambda pair: pair[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(table_name=self.value()) if self.value() else queryset


class PeriodFilter(admin.SimpleListFilter):
    title = "day"
    parameter_name = "period"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, label) for value, (_, label) in PERIODS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in PERIODS:
            return queryset
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        return queryset.filter(created_at__gte=midnight - timedelta(days=PERIODS[str(self.value())][0]))


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyTenantAdmin):
    """Who changed what, from what to what; found by object, person, day, or the id of a request."""

    list_display = ["created_at", "who", "what", "object_link", "changed", "reason", "request_id", "ip"]
    list_filter = [ActorFilter, KindFilter, "action", PeriodFilter]
    sortable_by = []
    search_keys = ("request_id",)
    search_help_text = "Id of a request"
    in_palette = False
    fields = ("created_at", "who", "what", "object_link", "all_changes", "reason", "request_id", "ip")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return Trail

    def get_sortable_by(self, request: HttpRequest) -> Any:
        return []  # newest first: another order would be another index

    @admin.display(description="who")
    def who(self, entry: AuditEntry) -> str:
        line = self._told(entry).line
        return f"{line.who} ({line.email})" if line.email else line.who

    @admin.display(description="what")
    def what(self, entry: AuditEntry) -> str:
        words = self._told(entry)
        return f"{words.line.action}: {words.kind.lower()}"

    @admin.display(description="object")
    def object_link(self, entry: AuditEntry) -> SafeString | str:
        words = self._told(entry)
        if not (words.exists and words.model and self.admin_site.is_registered(words.model)):
            return words.name
        options = words.model._meta
        page = reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[entry.row_id])
        return format_html('<a class="text-important" href="{}">{}</a>', page, words.name)

    @admin.display(description="before → after")
    def changed(self, entry: AuditEntry) -> SafeString:
        return _listed(self._told(entry).changes, SHOWN_CHANGES)

    @admin.display(description="before → after")
    def all_changes(self, entry: AuditEntry) -> SafeString:
        return _listed(self._told(entry).changes, len(entry.changes))

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        return lookup in LOOKUPS or super().lookup_allowed(lookup, value, request)

    def _told(self, entry: Any) -> Told:
        """Of a list, all entries at once."""
        if not hasattr(entry, "told"):
            [entry.told] = told([entry])
        words: Told = entry.told
        return words


@admin.register(AuditSeal)
class AuditSealAdmin(ReadOnlyTenantAdmin):
    """The proof that sealed entries were not changed; `manage.py audit_verify` checks it."""

    list_display = ["number", "first_id", "last_id", "entries", "hash", "created_at"]
    ordering = ("-number",)
    fields = ("number", "first_id", "last_id", "entries", "previous_hash", "hash", "storage_key", "created_at")


def _listed(changes: list[Change], most: int) -> SafeString:
    shown = format_html_join("", "<li><b>{}</b>: {}</li>", ((change.label, _change(change)) for change in changes[:most]))
    rest = format_html("<li>and {} more</li>", len(changes) - most) if len(changes) > most else ""
    return format_html('<ul class="changes">{}{}</ul>', shown, rest) if changes else format_html("-")


def _change(change: Change) -> SafeString | str:
    if change.secret:
        return "changed; its value is not kept"
    after = format_html("<ins>{}</ins>", change.after or "nothing")
    return format_html("<del>{}</del> → {}", change.before, after) if change.before else after
