from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from accounts.models.attachments import StoredFile
from core.fields import CurrencyField, MoneyField, QuantityField, SearchKeyField
from core.models import LedgerModel, TenantForeignKey, TenantModel
from inventory.models import Warehouse
from orders.models.channels import Channel, Customer
from orders.models.sales import OrderAdjustment, SalesOrder, SalesOrderItem


class InvoiceLayout(TenantModel):
    """What stands on every invoice of a channel, or of all that have none of their own. Its primary picture is the logo."""

    stands_in = ("channel.warehouse",)

    name = models.CharField(max_length=100)
    name_key = SearchKeyField("name")
    channel = TenantForeignKey(
        Channel, null=True, blank=True, related_name="+", help_text="Empty: for channels that have none of their own.",
    )
    payment_days = models.PositiveSmallIntegerField(
        "days to pay", default=0, help_text="Where the customer has no payment terms. 0: at once.",
    )
    terms = models.TextField(max_length=2000, blank=True, help_text="Below the totals, such as what holds for payment.")
    iban = models.CharField(
        "IBAN", max_length=34, blank=True, validators=[RegexValidator(r"^[A-Z]{2}\d{2}[A-Z0-9]{8,30}\Z", "Without blanks.")],
    )
    bic = models.CharField(
        "BIC", max_length=11, blank=True, validators=[RegexValidator(r"^[A-Z0-9]{8}([A-Z0-9]{3})?\Z", "8 or 11 letters.")],
    )
    footer = models.CharField(max_length=300, blank=True, help_text="At the foot of each page.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "channel"], name="invoice_layout_per_channel",
                violation_error_message="This channel has a layout already.",
            ),
            models.UniqueConstraint(
                fields=["organization"], condition=Q(channel__isnull=True), name="invoice_layout_for_the_others",
                violation_error_message="There is a layout without a channel already.",
            ),
        ]
        indexes = [models.Index(fields=["organization", "name_key"], name="invoice_layout_search")]

    def __str__(self) -> str:
        return self.name


class Invoice(TenantModel):
    """An invoice, or a credit note that takes back some of one; its amounts are above zero too.

    Once issued, the database refuses to change it. `taxes` has a row for each rate, rounded as a whole: `net_total` + `tax_total`
    + `rounding` = `total`, where `rounding` is what the order's lines, each rounded by itself, make of it.
    """

    annotated = True
    stands_in = ("warehouse",)
    frozen = ("status", "issued")

    class Kind(models.TextChoices):
        INVOICE = "invoice", "Invoice"
        CREDIT_NOTE = "credit_note", "Credit note"

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ISSUED = "issued", "Issued"

    OVER = (Status.ISSUED,)

    number = models.CharField(max_length=40, null=True, editable=False, help_text="Given as it is issued, without gaps.")
    number_key = SearchKeyField("number")
    series = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="The year, where the numbers begin anew each year; else 0.",
    )
    counter = models.PositiveBigIntegerField(null=True, editable=False, help_text="The number, counted in its series.")
    kind = models.CharField(max_length=11, choices=Kind, default=Kind.INVOICE, editable=False)
    status = models.CharField(max_length=6, choices=Status, default=Status.DRAFT, editable=False)
    order = TenantForeignKey(SalesOrder, related_name="invoices", editable=False)
    corrects = TenantForeignKey(
        "self", null=True, blank=True, related_name="credit_notes", editable=False, help_text="The invoice of a credit note.",
    )
    customer = TenantForeignKey(Customer, null=True, blank=True, related_name="+", editable=False)
    warehouse = TenantForeignKey(Warehouse, related_name="+", editable=False)
    currency = CurrencyField(editable=False)
    issued_at = models.DateTimeField(null=True, blank=True, editable=False)
    issued_on = models.DateField(null=True, blank=True, editable=False)
    due_on = models.DateField(null=True, blank=True, help_text="Empty: by the customer's payment terms, as it is issued.")
    delivered_on = models.DateField(null=True, blank=True, editable=False)
    seller = models.JSONField(default=dict, editable=False)
    buyer = models.JSONField(default=dict, editable=False)
    taxes = models.JSONField(default=list, editable=False, help_text="By rate: category, rate, net and tax.")
    net_total = MoneyField(default=0, editable=False)
    tax_total = MoneyField(default=0, editable=False)
    rounding = MoneyField(default=0, editable=False)
    total = MoneyField(default=0, editable=False, help_text="With tax.")
    note = models.CharField(max_length=500, blank=True, help_text="It stands on the paper.")

    class Meta:
        permissions = [("issue_invoice", "Can issue invoices and credit notes")]
        constraints = [
            models.UniqueConstraint(fields=["organization", "number", "kind"], name="invoice_number"),
            models.CheckConstraint(
                condition=Q(status="draft")
                | Q(number__isnull=False, counter__isnull=False, issued_at__isnull=False, issued_on__isnull=False),
                name="invoice_issued_has_number",
            ),
            models.CheckConstraint(
                condition=Q(kind="invoice") | Q(corrects__isnull=False), name="invoice_credit_note_corrects",
            ),
            models.CheckConstraint(condition=Q(total__gte=0), name="invoice_total_not_negative"),
        ]
        indexes = [
            models.Index(fields=["organization", "number_key"], name="invoice_search"),
            models.Index(fields=["organization", "order", "id"], name="invoice_by_order"),
            models.Index(fields=["organization", "corrects", "id"], name="invoice_by_corrected"),
            models.Index(fields=["organization", "customer", "id"], name="invoice_by_customer"),
            models.Index(fields=["organization", "warehouse", "id"], name="invoice_by_warehouse"),
            models.Index(fields=["organization", "kind", "id"], name="invoice_by_kind"),
            models.Index(fields=["organization", "status", "id"], name="invoice_by_status"),
            models.Index(fields=["organization", "issued_on", "id"], name="invoice_by_day"),
            models.Index(fields=["organization", "due_on", "id"], name="invoice_by_due_day"),
        ]

    def __str__(self) -> str:
        return self.number or f"Draft of {self.get_kind_display().lower()}"


class InvoiceItem(TenantModel):
    """Goods of an order's line, or a part of one of its adjustments; of a credit note, what it takes back of an invoice's.

    Without a quantity a credit note takes back money alone. `net_amount` and `tax_amount` are its share of the order's.
    """

    stands_in = ("invoice.warehouse",)

    class Kind(models.TextChoices):
        GOODS = "goods", "Goods"
        DISCOUNT = "discount", "Discount"
        SURCHARGE = "surcharge", "Surcharge"
        SHIPPING = "shipping", "Shipping"
        ROUNDING = "rounding", "Rounding"

    class TaxCategory(models.TextChoices):
        STANDARD = "S", "Taxed"
        ZERO = "Z", "Taxed at 0 per cent"
        EXEMPT = "E", "Exempt"

    invoice = TenantForeignKey(Invoice, models.CASCADE, related_name="items")
    line = models.PositiveIntegerField()
    kind = models.CharField(max_length=9, choices=Kind, default=Kind.GOODS)
    order_item = TenantForeignKey(SalesOrderItem, null=True, related_name="invoiced")
    adjustment = TenantForeignKey(OrderAdjustment, null=True, related_name="invoiced")
    corrects = TenantForeignKey("self", null=True, related_name="corrected_by", help_text="The line of the invoice.")
    sku = models.CharField("SKU", max_length=64, blank=True)
    name = models.CharField(max_length=400)
    unit = models.CharField(max_length=8, default="C62", help_text="By UN/ECE Recommendation 20.")
    quantity = QuantityField(default=0)
    unit_price = MoneyField(default=0)
    includes_tax = models.BooleanField(default=False, help_text="Whether the price has the tax in it.")
    discount = MoneyField(default=0, help_text="Its share of what is taken off the order's line.")
    tax_rate = models.DecimalField(max_digits=7, decimal_places=4, default=0, help_text="Per cent.")
    tax_category = models.CharField(max_length=1, choices=TaxCategory, default=TaxCategory.STANDARD)
    net_amount = MoneyField(default=0)
    tax_amount = MoneyField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "invoice", "line"], name="invoice_item_once"),
            models.CheckConstraint(
                condition=Q(kind="goods", order_item__isnull=False, adjustment__isnull=True)
                | (~Q(kind="goods") & Q(order_item__isnull=True, adjustment__isnull=False)),
                name="invoice_item_is_of_something",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0) | Q(quantity=0, corrects__isnull=False), name="invoice_item_quantity_not_negative",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "order_item"], name="invoice_item_by_order_item"),
            models.Index(fields=["organization", "adjustment"], name="invoice_item_by_adjustment"),
            models.Index(fields=["organization", "corrects"], name="invoice_item_by_corrected"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} of {self.sku or self.name}"


class InvoiceFile(StoredFile, LedgerModel):
    """The paper of an invoice as it was first made, once it was issued; later ones are read from here."""

    stands_in = ("invoice.warehouse",)

    invoice = TenantForeignKey(Invoice, related_name="files")

    class Meta:
        default_permissions = ()  # an invoice's own decide
        constraints = [models.UniqueConstraint(fields=["organization", "invoice"], name="invoice_file_once")]

    def __str__(self) -> str:
        return self.filename
