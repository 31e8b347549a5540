"""The admin site: which pages, for whom, for which organization."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path
from unfold.forms import AuthenticationForm
from unfold.sites import UnfoldAdminSite
from unfold.widgets import UnfoldAdminEmailInputWidget

from accounts.models import User
from accounts.queries.history import audit_lines
from config import dashboard, palette, switcher
from core.history import AuditLine
from core.models import ArchivableModel
from core.paging import Page

type View = Callable[..., HttpResponse]

APP_ORDER = ("inventory", "orders", "accounts", "notifications")
CLUSTER_TITLES = {
    "tenancy": "Organization", "governance": "Audit and privacy", "documents": "Numbering", "roles": "Roles and keys",
}
# What somebody who belongs to no organization may still open.
WITHOUT_ORGANIZATION = {"logout", "password_change", "password_change_done", "i18n_javascript", "catch_all_view"}


class SignInForm(AuthenticationForm):
    def __init__(self, request: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields["username"].label = "E-mail address"
        self.fields["username"].widget = UnfoldAdminEmailInputWidget(attrs={"autocomplete": "username", "autofocus": True})


class Autocomplete(AutocompleteJsonView):
    """In alphabetical order where the target has a search key; archived rows are not offered."""

    def get_queryset(self) -> models.QuerySet:
        found: models.QuerySet = super().get_queryset()
        if issubclass(found.model, ArchivableModel):
            found = found.filter(archived_at=None)
        target: Any = self.model_admin
        return found.order_by(target.search_keys[0], "pk")


class QuartermasterSite(UnfoldAdminSite):
    enable_nav_sidebar = True
    index_title = "Overview"

    def get_urls(self) -> list[Any]:
        switch = path("switch-organization/", switcher.view(self), name="switch_organization")
        return [switch, *super().get_urls()]

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Outside any organization there is nothing to show, and the database would refuse to."""
        def within_organization(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.principal is None and getattr(view, "__name__", "") not in WITHOUT_ORGANIZATION:
                return self.no_organization(request)
            return view(request, *args, **kwargs)

        wrapped: View = super().admin_view(update_wrapper(within_organization, view), cacheable)
        return wrapped

    def no_organization(self, request: Any) -> HttpResponse:
        context = {**self.each_context(request), "title": "You belong to no organization yet"}
        request.current_app = self.name
        return TemplateResponse(request, "admin/no_organization.html", context)

    # --- Pages of the site ----------------------------------------------------------------------------------
    def index(self, request: Any, extra_context: Any = None) -> HttpResponse:
        response: HttpResponse = super().index(request, {**dashboard.context(request), **(extra_context or {})})
        return response

    def search(self, request: Any, extra_context: Any = None) -> HttpResponse:
        """Ctrl+K. In place of unfold's, which is without end and forgets the organization in its cache."""
        hits = palette.find(self, request, request.GET.get("s", ""))
        return TemplateResponse(request, "admin/palette_results.html", {"hits": hits, "term": request.GET.get("s", "")})

    def autocomplete_view(self, request: HttpRequest) -> HttpResponseBase:
        return Autocomplete.as_view(admin_site=self)(request)

    def password_change(self, request: Any, extra_context: Any = None) -> HttpResponse:
        # The scope's user has no password and not all columns: saved, it would empty them.
        full = User.objects.get(pk=request.user.pk)
        full.permissions = request.user.permissions
        request.user = full
        response: HttpResponse = super().password_change(request, extra_context)
        return response

    # --- What every page shows ------------------------------------------------------------------------------
    def each_context(self, request: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().each_context(request)
        return context | {"principal": getattr(request, "principal", None)}

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """Apps in the order of the work, models in clusters, in the order in which they were registered."""
        apps: dict[str, Any] = self._build_app_dict(request, app_label)
        found = [apps[label] for label in APP_ORDER if label in apps]
        for app in found:
            app["clusters"] = _clusters(app["models"])
        return found

    def get_log_entries(self, request: HttpRequest) -> list[Any]:
        """Django's log is shared by all organizations; the audit trail is in its place."""
        return []

    # --- What the pages of rows ask for ---------------------------------------------------------------------
    def shows_history(self, request: Any) -> bool:
        return bool(request.user.has_perm("accounts.view_auditentry"))

    def audit_lines(self, model: type[models.Model], pk: Any, cursor: str | None) -> Page[AuditLine]:
        return audit_lines(model, pk, cursor)


def _clusters(pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for page in pages:
        module: str = page["model"].__module__
        found.setdefault(module.rpartition(".")[2], []).append(page)
    return [
        {"name": CLUSTER_TITLES.get(name, name.replace("_", " ").capitalize()), "pages": pages} for name, pages in found.items()
    ]
