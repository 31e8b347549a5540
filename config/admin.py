"""The admin site: which pages, for whom, for which organization."""

from collections.abc import Callable
from functools import partial, update_wrapper
from http import HTTPStatus
from typing import Any

from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from unfold.sites import UnfoldAdminSite

from accounts.impersonation import leave
from accounts.models import Attachment, User
from accounts.queries.attachments import attachable, attachments_of
from accounts.queries.history import audit_lines
from accounts.services.activity import session_moved
from accounts.services.attachments import Upload, attachment_create
from accounts.services.passwords import password_changed
from config import (
    analytics,
    annotations,
    dashboard,
    locked_accounts,
    operations,
    orders_dashboard,
    own_second_factors,
    palette,
    platform,
    switcher,
    worklist,
)
from config.annotations import Annotations
from config.sidebar import groups, mark_current, work_places
from config.signing_in import SignInForm, SignInView, second_factor_view
from core.history import AuditLine
from core.models import ArchivableModel
from core.paging import Page
from inventory.queries.drafts import tray_size
from notifications.queries.inbox import unread_count

type View = Callable[..., HttpResponse]

APP_ORDER = ("inventory", "orders", "accounts", "notifications")
# What somebody who belongs to no organization may still open.
WITHOUT_ORGANIZATION = {
    "logout", "password_change", "password_change_done", "i18n_javascript", "catch_all_view",
    "second_factors_page", "act_for_member", "end_impersonation",
}


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
        return [
            path("switch-organization/", switcher.view(self), name="switch_organization"),
            path("second-factor/", second_factor_view(self), name="second_factor"),
            path("second-factors/", own_second_factors.view(self), name="second_factors"),
            path("locked-accounts/", locked_accounts.view(self), name="locked_accounts"),
            path("analytics/", analytics.view(self), name="analytics"),
            path("operations/", operations.view(self), name="operations"),
            path("platform/act-for-member/", platform.act_view(self), name="act_for_member"),
            path("end-impersonation/", platform.end_view(self), name="end_impersonation"),
            *super().get_urls(),
        ]

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

    @method_decorator(never_cache)
    def login(self, request: Any, extra_context: Any = None) -> HttpResponseBase:
        """As Django's, with a view that goes on to the second factor."""
        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        context = {**self.each_context(request), "title": "Log in", "app_path": request.get_full_path(), **(extra_context or {})}
        if "next" not in {**request.GET.dict(), **request.POST.dict()}:
            context["next"] = reverse("admin:index")
        request.current_app = self.name
        view = SignInView.as_view(
            extra_context=context, authentication_form=SignInForm, template_name=self.login_template or "admin/login.html",
        )
        return view(request)

    def logout(self, request: Any, extra_context: Any = None) -> HttpResponse:
        leave(request, request.origin)
        response: HttpResponse = super().logout(request, extra_context)
        return response

    # --- Pages of the site ----------------------------------------------------------------------------------
    def index(self, request: Any, extra_context: Any = None) -> HttpResponse:
        shown = {
            **dashboard.context(request), **orders_dashboard.context(request),
            "waiting": [] if request.principal is None else worklist.waiting(request),
        }
        response: HttpResponse = super().index(request, {**shown, **(extra_context or {})})
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
        if response.status_code == HTTPStatus.FOUND and request.method == "POST":
            keep = session_moved(session_id=request.claim.session_id, session_key=request.session.session_key)
            password_changed(user=full, origin=request.origin, keep=keep)
        return response

    # --- What every page shows ------------------------------------------------------------------------------
    def each_context(self, request: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().each_context(request)
        principal = getattr(request, "principal", None)
        may_scan = principal is not None and request.user.has_perm("inventory.view_stockitem")
        carries = may_scan and request.user.has_perm("inventory.move_stock")
        tray = partial(tray_size, request.user.pk) if carries else 0  # asked for by whole pages alone
        has_inbox = principal is not None and not principal.acting and request.user.has_perm("notifications.view_notification")
        unread = partial(unread_count, request.user.pk) if has_inbox else 0  # as the tray
        places = [] if principal is None else work_places(request.user.has_perm, request.path)
        return context | {
            "principal": principal, "may_scan": may_scan, "tray_size": tray, "has_inbox": has_inbox, "unread": unread,
            "work_places": places,
        }

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """Apps in the order of the work, pages in groups."""
        apps: dict[str, Any] = self._build_app_dict(request, app_label)
        found = [apps[label] for label in APP_ORDER if label in apps]
        may_unlock = request.user.has_perm("accounts.change_membership")
        may_operate = request.user.has_perm(operations.PERMISSION)
        for app in found:
            app["clusters"] = groups(
                app["app_label"], app["models"], may=request.user.has_perm, may_unlock=may_unlock, may_operate=may_operate,
            )
            mark_current(app["clusters"], request.path)
        return found

    def get_log_entries(self, request: HttpRequest) -> list[Any]:
        """Django's log is shared by all organizations; the audit trail is in its place."""
        return []

    # --- What the pages of rows ask for ---------------------------------------------------------------------
    def shows_history(self, request: Any) -> bool:
        return bool(request.user.has_perm("accounts.view_auditentry"))

    def audit_lines(self, model: type[models.Model], pk: Any, cursor: str | None) -> Page[AuditLine]:
        return audit_lines(model, pk, cursor)

    def takes_attachments(self, model: type[models.Model]) -> bool:
        return model._meta.label_lower in attachable()

    def attachments(self, request: Any, model: type[models.Model], pk: Any) -> list[Attachment] | None:
        """None for those who may not see any."""
        return attachments_of(model, pk) if request.user.has_perm("accounts.view_attachment") else None

    def attach(self, request: Any, row: models.Model, file: Any, title: str) -> None:
        if not request.user.has_perm("accounts.add_attachment"):
            raise PermissionDenied
        upload = Upload(file, file.size, file.name, file.content_type or "")
        attachment_create(
            object_type=row._meta.label_lower, object_id=row.pk, upload=upload, title=title, permissions=request.user.permissions,
        )

    def annotations(self, request: HttpRequest, row: models.Model) -> Annotations:
        return annotations.annotations(request, row)

    def annotate(self, request: HttpRequest, row: models.Model) -> str:
        return annotations.annotate(request, row)
