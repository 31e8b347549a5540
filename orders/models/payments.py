from django.db import models
from django.db.models import F, Q

from core.fields import CurrencyField, MoneyField
from core.models import TenantForeignKey, TenantModel
from orders.models.sales import SalesOrder


class Provider(models.TextChoices):
    MANUAL = "manual", "By hand"
    CASH_ON_DELIVERY = "cash_on_delivery", "Cash on delivery"
    STRIPE = "stripe", "Stripe"


class PaymentAccount(TenantModel):
    """The organization's own account at a provider that is asked by its API."""

    audit_redacted = ("secret",)

    class AtProvider(models.TextChoices):
        STRIPE = Provider.STRIPE.value, Provider.STRIPE.label

    code = models.SlugField(max_length=40, db_index=False)
    name = models.CharField(max_length=100)
    provider = models.CharField(max_length=16, choices=AtProvider, default=AtProvider.STRIPE)
    secret = models.BinaryField(null=True, editable=False, help_text="Sealed by core.sealing.")
    is_active = models.BooleanField("active", default=True, help_text="Whether new payments may begin here.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="payment_account_code")]

    def __str__(self) -> str:
        return self.code


class Payment(TenantModel):
    """One thing done with money: promised, taken, given back or let go. Whoever changes one holds its order.

    What was promised is taken by a capture, whose parent it is, and let go by a void; what was taken goes back by a refund.
    `used_amount` is what the children have, those that are still under way as well.
    """

    stands_in = ("order.warehouse",)

    class Kind(models.TextChoices):
        AUTHORIZATION = "authorization", "Authorization"
        CAPTURE = "capture", "Capture"
        REFUND = "refund", "Refund"
        VOID = "void", "Void"

    class Status(models.TextChoices):
        PENDING = "pending", "Under way"
        ACTION_REQUIRED = "action_required", "Waits for the customer"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"

    OVER = (Status.SUCCEEDED, Status.FAILED)

    order = TenantForeignKey(SalesOrder, related_name="payments")
    kind = models.CharField(max_length=13, choices=Kind)
    parent = TenantForeignKey("self", null=True, blank=True, related_name="children")
    provider = models.CharField(max_length=16, choices=Provider)
    account = TenantForeignKey(PaymentAccount, null=True, blank=True, related_name="+")
    provider_reference = models.CharField(max_length=100, blank=True, help_text="Its name there: pi_..., or of a bank transfer.")
    payment_method = models.CharField(max_length=100, blank=True, help_text="Of the customer at the provider: pm_...")
    amount = MoneyField()
    used_amount = MoneyField("used", default=0)
    currency = CurrencyField()
    status = models.CharField(max_length=15, choices=Status, default=Status.PENDING)
    error_code = models.CharField(max_length=60, blank=True)
    error = models.CharField(max_length=300, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    idempotency_key = models.CharField(max_length=100, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True, help_text="When it succeeded or failed.")

    class Meta:
        permissions = [
            ("take_payment", "Can authorize and take payments, note those that came, and let them go"),
            ("refund_payment", "Can give payments back"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "idempotency_key"], condition=~Q(idempotency_key=""), name="payment_once",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_amount_positive"),
            models.CheckConstraint(
                condition=Q(used_amount__gte=0, used_amount__lte=F("amount")), name="payment_used_once",
                violation_error_message="No more is taken than was promised, and no more goes back than was taken.",
            ),
            models.CheckConstraint(
                condition=Q(kind="authorization", parent__isnull=True) | Q(kind="capture")
                | Q(kind__in=["refund", "void"], parent__isnull=False), name="payment_has_its_parent",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "order", "id"], name="payment_by_order"),
            models.Index(fields=["organization", "parent"], name="payment_by_parent"),
            models.Index(fields=["organization", "account"], name="payment_by_account"),
            models.Index(fields=["organization", "status", "id"], name="payment_by_status"),
            models.Index(fields=["organization", "provider_reference"], name="payment_by_reference"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.amount.normalize():f} {self.currency}"
