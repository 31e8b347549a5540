from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet, TenantViewSet
from core.limits import reach, refuse_outside
from core.serializers import ReferenceField, StrictSerializer, TenantSerializer, referenced
from core.within import holder
from orders.models import Payment, PaymentAccount, Provider, SalesOrder
from orders.services.payment_accounts import payment_account_write
from orders.services.payment_runs import payment_client_secret
from orders.services.payments import (
    Source,
    payment_authorize,
    payment_capture,
    payment_record,
    payment_refund,
    payment_void,
)

TAKE, REFUND = "orders.take_payment", "orders.refund_payment"
BY_HAND = [(one.value, one.label) for one in Provider if one != Provider.STRIPE]


class PaymentAccountSerializer(TenantSerializer):
    secret_key = serializers.CharField(
        max_length=255, required=False, write_only=True, help_text="Such as sk_live_...; kept sealed and never shown.",
    )

    class Meta:
        model = PaymentAccount
        fields = ["id", "code", "name", "provider", "secret_key", "is_active", "created_at", "updated_at", "version"]


class PaymentAccountViewSet(TenantViewSet):
    """The organization's own accounts at providers, and the keys by which these are asked."""

    serializer_class = PaymentAccountSerializer
    filters = ["code"]
    sort_fields = ["code"]
    bulk_operations = ()
    no_bulk = "An account has a secret key: write it by itself."

    def save(self, serializer: serializers.BaseSerializer) -> PaymentAccount:
        account: Any = serializer.instance or PaymentAccount()
        return payment_account_write(account=account, **serializer.validated_data)


class PaymentSerializer(TenantSerializer):
    order_number = serializers.CharField(source="order.number", read_only=True)

    class Meta:
        model = Payment
        fields = [
            "id", "order", "order_number", "kind", "parent", "provider", "account", "provider_reference", "payment_method",
            "amount", "used_amount", "currency", "status", "error_code", "error", "reason", "idempotency_key", "settled_at",
            "created_at", "updated_at", "version",
        ]


class MoneySerializer(StrictSerializer):
    amount = serializers.DecimalField(
        max_digits=19, decimal_places=6, min_value=0, required=False, help_text="All that may be, unless it is said.",
    )
    idempotency_key = serializers.CharField(
        max_length=100, required=False, help_text="The same key again answers with the same payment.",
    )


class RefundSerializer(MoneySerializer):
    reason = serializers.CharField(max_length=200, required=False)


class VoidSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=200, required=False)
    idempotency_key = serializers.CharField(max_length=100, required=False)


class AuthorizationSerializer(MoneySerializer):
    order = ReferenceField()
    provider = serializers.ChoiceField(Provider.choices)
    account = ReferenceField(required=False, help_text="Needed where there are several.")
    payment_method = serializers.CharField(
        max_length=100, required=False, help_text="Of the customer at the provider, such as pm_...: no numbers of cards.",
    )


class RecordPaymentSerializer(MoneySerializer):
    order = ReferenceField()
    provider = serializers.ChoiceField(BY_HAND, default=Provider.MANUAL)
    reference = serializers.CharField(max_length=100, required=False, help_text="Such as the number of a bank transfer.")


class ClientSecretSerializer(serializers.Serializer):
    client_secret = serializers.CharField(help_text="For the provider's script in the customer's browser.")


class PaymentViewSet(ReadViewSet):
    """Money that was promised, taken, given back or let go. A provider that is asked answers later: `status` says so."""

    serializer_class = PaymentSerializer
    filters = ["order", "status", "provider_reference"]

    @extend_schema(request=AuthorizationSerializer, responses={201: PaymentSerializer})
    @action(detail=False, methods=["post"], permission=TAKE, body_class=AuthorizationSerializer)
    def authorize(self, request: Request) -> Response:
        """The customer's money is promised for the order. `pending` is under way, `action_required` waits for the customer."""
        values = self.body(request)
        account = values.pop("account", None)
        source = Source(
            values.pop("provider"), referenced(PaymentAccount, "account", account) if account else None,
            payment_method=values.pop("payment_method", ""),
        )
        return self._of_an_order(payment_authorize, source, values)

    @extend_schema(request=RecordPaymentSerializer, responses={201: PaymentSerializer})
    @action(detail=False, methods=["post"], permission=TAKE, body_class=RecordPaymentSerializer)
    def record(self, request: Request) -> Response:
        """Money that came by itself: in cash, by a bank transfer."""
        values = self.body(request)
        source = Source(values.pop("provider"), reference=values.pop("reference", ""))
        return self._of_an_order(payment_record, source, values)

    @extend_schema(request=MoneySerializer, responses={201: PaymentSerializer})
    @action(detail=True, methods=["post"], permission=TAKE, body_class=MoneySerializer)
    def capture(self, request: Request, pk: str) -> Response:
        """Of an authorization: takes what was promised, or a part."""
        return self._shown(payment_capture(payment=self.get_object(), **self.body(request)))

    @extend_schema(request=RefundSerializer, responses={201: PaymentSerializer})
    @action(detail=True, methods=["post"], permission=REFUND, body_class=RefundSerializer)
    def refund(self, request: Request, pk: str) -> Response:
        """Of a capture: gives back what was taken, or a part."""
        return self._shown(payment_refund(payment=self.get_object(), **self.body(request)))

    @extend_schema(request=VoidSerializer, responses={201: PaymentSerializer})
    @action(detail=True, methods=["post"], permission=TAKE, body_class=VoidSerializer)
    def void(self, request: Request, pk: str) -> Response:
        """Of an authorization: lets go what is left of it."""
        return self._shown(payment_void(payment=self.get_object(), **self.body(request)))

    @extend_schema(request=None, responses=ClientSecretSerializer)
    @action(detail=True, methods=["post"], url_path="client-secret", permission=TAKE)
    def client_secret(self, request: Request, pk: str) -> Response:
        """Where the customer has to do something: what their browser needs for it. The provider is asked."""
        secret = payment_client_secret(payment=self.get_object())
        return Response({"client_secret": secret}, headers={"Cache-Control": "no-store"})

    def _of_an_order(self, verb: Any, source: Source, values: dict[str, Any]) -> Response:
        order = referenced(SalesOrder, "order", values.pop("order"))
        refuse_outside(SalesOrder, [order.pk], reach(holder(self.request), TAKE))
        return self._shown(verb(order=order, source=source, **values))

    def _shown(self, payment: Payment) -> Response:
        return Response(self.read_row(payment.pk), status=status.HTTP_201_CREATED)


routes = {"payment-accounts": PaymentAccountViewSet, "payments": PaymentViewSet}
