from django.db import models
from django.db.models import Q

from core.fields import CurrencyField, MoneyField, SearchKeyField
from core.models import TenantForeignKey, TenantModel
from inventory.models import Supplier, Warehouse
from orders.models.bills import SupplierBill
from orders.models.receipts import GoodsReceipt


class LandedCost(TenantModel):
    """Freight, duty or the like, known after goods came: posted, it is spread over what their receipts took in.

    It changes while it is a draft. Its number, status, amounts in the organization's currency and times are written by the
    services alone.
    """

    annotated = True
    stands_in = ("warehouse",)

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        POSTED = "posted", "Posted"
        REVERSED = "reversed", "Reversed"
        CANCELLED = "cancelled", "Canceled"

    class Kind(models.TextChoices):
        FREIGHT = "freight", "Freight"
        DUTY = "duty", "Customs duty"
        INSURANCE = "insurance", "Insurance"
        HANDLING = "handling", "Handling"
        OTHER = "other", "Other"

    class Basis(models.TextChoices):
        VALUE = "value", "Value"
        QUANTITY = "quantity", "Quantity"
        WEIGHT = "weight", "Weight"
        VOLUME = "volume", "Volume"

    HOLDS = (Status.DRAFT, Status.POSTED)  # of what its bill asks for
    OVER = (Status.REVERSED, Status.CANCELLED)

    number = models.CharField(max_length=40, editable=False)
    number_key = SearchKeyField("number")
    warehouse = TenantForeignKey(Warehouse, related_name="+", help_text="Where the goods came.")
    status = models.CharField(max_length=9, choices=Status, default=Status.DRAFT, editable=False)
    kind = models.CharField(max_length=9, choices=Kind, default=Kind.FREIGHT)
    by = models.CharField("spread by", max_length=8, choices=Basis, default=Basis.VALUE, help_text="Of what was taken in.")
    bill = TenantForeignKey(
        SupplierBill, null=True, blank=True, related_name="landed_costs",
        help_text="That asks for it, such as a carrier's: supplier and currency are those of the bill.",
    )
    supplier = TenantForeignKey(Supplier, null=True, blank=True, related_name="+", help_text="Who asks for it.")
    supplier_number = models.CharField("supplier's number", max_length=80, blank=True, help_text="As it stands on their paper.")
    currency = CurrencyField(blank=True, help_text="The organization's, unless given.")
    amount = MoneyField(
        null=True, blank=True, help_text="Without tax. Empty, on a bill: what it asks for besides goods that came.",
    )
    cost_on = models.DateField(
        "day", null=True, blank=True, help_text="Whose exchange rate counts. The bill's day, else today, unless given.",
    )
    note = models.CharField(max_length=500, blank=True)
    exchange_rate = models.DecimalField(
        max_digits=20, decimal_places=9, null=True, editable=False,
        help_text="Of the day: what one unit of its currency is in the organization's.",
    )
    base_amount = MoneyField(null=True, editable=False, help_text="In the organization's currency.")
    to_stock = MoneyField(null=True, editable=False, help_text="What goods that were left became worth more.")
    to_sold = MoneyField(null=True, editable=False, help_text="What those that were gone cost more.")
    posted_at = models.DateTimeField(null=True, blank=True, editable=False)
    reversed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        permissions = [("post_landedcost", "Can post and reverse landed costs")]
        constraints = [
            models.UniqueConstraint(fields=["organization", "number"], name="landed_cost_number"),
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gt=0), name="landed_cost_amount_positive",
                violation_error_message="An amount must be above zero: reverse a landed cost that was posted by mistake.",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "number_key"], name="landed_cost_search"),
            models.Index(fields=["organization", "status", "id"], name="landed_cost_by_status"),
            models.Index(fields=["organization", "kind", "id"], name="landed_cost_by_kind"),
            models.Index(fields=["organization", "warehouse", "id"], name="landed_cost_by_warehouse"),
            models.Index(fields=["organization", "supplier", "id"], name="landed_cost_by_supplier"),
            models.Index(fields=["organization", "bill", "id"], name="landed_cost_by_bill"),
            models.Index(fields=["organization", "cost_on", "id"], name="landed_cost_by_day"),
        ]

    def __str__(self) -> str:
        return self.number


class LandedCostReceipt(TenantModel):
    """A goods receipt over which a landed cost is spread."""

    stands_in = ("cost.warehouse",)

    cost = TenantForeignKey(LandedCost, models.CASCADE, related_name="receipts")
    receipt = TenantForeignKey(GoodsReceipt, related_name="landed_costs")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "cost", "receipt"], name="landed_cost_receipt_once",
                violation_error_message="Name each goods receipt once.",
            ),
        ]
        indexes = [models.Index(fields=["organization", "receipt"], name="landed_cost_receipt_by_receipt")]

    def __str__(self) -> str:
        return str(self.receipt)
