from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from core.admin import ReadOnlyTenantAdmin, TenantAdmin, TenantTabularInline, plainly
from core.admin_actions import confirmed
from core.admin_forms import TenantModelForm
from core.errors import DomainError
from core.limits import reach
from orders.models import Payment, PaymentAccount
from orders.services.payment_accounts import payment_account_write
from orders.services.payments import payment_capture, payment_refund, payment_void

TAKE, REFUND = "orders.take_payment", "orders.refund_payment"


class PaymentInline(TenantTabularInline):
    """What was paid of an order."""

    model = Payment
    tab = False
    extra = 0
    can_delete = False
    show_change_link = True
    fields = ("kind", "provider", plainly(Payment, "amount"), "status", "provider_reference", "error", "settled_at")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Payment)
class PaymentAdmin(ReadOnlyTenantAdmin):
    """Money that was promised, taken, given back or let go."""

    says_when_empty = "Customers pay by the shop, or somebody notes a payment of an order by the API."
    list_display = ["kind", "order", "amount", "currency", "provider", "status", "settled_at"]
    list_filter = ["status"]
    fields = [
        "order", "kind", "parent", "provider", "account", "provider_reference", "amount", "used_amount", "currency", "status",
        "error_code", "error", "reason", "settled_at", "created_at",
    ]
    actions_detail = ["capture", "refund", "void"]

    def has_capture_permission(self, request: Any, object_id: Any = None) -> bool:
        return self._may(request, object_id, TAKE, Payment.Kind.AUTHORIZATION)

    def has_void_permission(self, request: Any, object_id: Any = None) -> bool:
        return self._may(request, object_id, TAKE, Payment.Kind.AUTHORIZATION)

    def has_refund_permission(self, request: Any, object_id: Any = None) -> bool:
        return self._may(request, object_id, REFUND, Payment.Kind.CAPTURE)

    def _may(self, request: Any, object_id: Any, permission: str, kind: str) -> bool:
        """In this warehouse, and while something is left of it."""
        if not request.user.has_perm(permission) or object_id is None:
            return bool(request.user.has_perm(permission))
        row = Payment.objects.select_related("order").filter(pk=object_id, kind=kind).exclude(status="failed").first()
        where = reach(request.principal, permission)
        return row is not None and row.used_amount < row.amount and (where is None or row.order.warehouse_id in where)

    @action(description="Capture", url_path="capture", permissions=["capture"])
    @confirmed("Take all that is promised and open?")
    def capture(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(request, object_id, payment_capture)

    @action(description="Refund", url_path="refund", permissions=["refund"])
    @confirmed("Give back all that is left of this? By hand, this notes that you gave it back.")
    def refund(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(request, object_id, payment_refund)

    @action(description="Let go", url_path="void", permissions=["void"])
    @confirmed("Let go what is left of this? It cannot be taken any more.")
    def void(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(request, object_id, payment_void)

    def _do(self, request: HttpRequest, object_id: str, verb: Any) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        try:
            with transaction.atomic():
                made = verb(payment=row)
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
        else:
            row = made
            self.message_user(request, f"{made}: {made.get_status_display().lower()}.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:orders_payment_change", args=[row.pk]))


class PaymentAccountForm(TenantModelForm):
    secret_key = forms.CharField(  # not the column, which is sealed
        required=False, max_length=255, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="Such as sk_live_...; never shown again. Left empty, the one before stays.",
    )


@admin.register(PaymentAccount)
class PaymentAccountAdmin(TenantAdmin):
    """The organization's own accounts at providers."""

    form = PaymentAccountForm
    list_display = ["code", "name", "provider", "is_active"]

    def save_model(self, request: HttpRequest, obj: PaymentAccount, form: Any, change: bool) -> None:
        payment_account_write(account=obj, secret_key=form.cleaned_data.get("secret_key", ""))
