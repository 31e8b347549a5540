from django.core.validators import EmailValidator
from django.db import models
from django.db.models import F, Q

from core.custom_fields import CustomFieldsModel
from core.fields import CurrencyField, MoneyField, QuantityField, SearchKeyField
from core.models import TenantForeignKey, TenantModel, external_ref, external_ref_unique
from inventory.models import ProductVariant, VehicleModel, Warehouse
from orders.models.channels import Channel, Customer
from orders.models.shipping import ShippingMethod


class SalesOrder(CustomFieldsModel, TenantModel):
    """A cart while it is a draft. Its number, states, totals and times are written by the services alone.

    An address is a snapshot: name, street1, street2, city, region, postal_code, country.
    """

    annotated = True
    stands_in = ("warehouse",)
    has_charges: bool  # of one that is locked: whether anything but people adds to it or takes off, or could

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PLACED = "placed", "Placed"
        CONFIRMED = "confirmed", "Confirmed"
        PICKING = "picking", "Being picked"
        PACKED = "packed", "Packed"
        SHIPPED = "shipped", "Shipped"
        DELIVERED = "delivered", "Delivered"
        COMPLETED = "completed", "Completed"
        ON_HOLD = "on_hold", "On hold"
        CANCELLED = "cancelled", "Canceled"
        ERROR = "error", "Error"

    class PaymentStatus(models.TextChoices):
        UNPAID = "unpaid", "Unpaid"
        AUTHORIZED = "authorized", "Authorized"
        PARTLY_PAID = "partly_paid", "Partly paid"
        PAID = "paid", "Paid"
        REFUNDED = "refunded", "Refunded"

    class FulfilmentStatus(models.TextChoices):
        NOT_STARTED = "not_started", "Not started"
        WAREHOUSE_NOTIFIED = "warehouse_notified", "Warehouse notified"
        PACKED = "packed", "Packed"
        DELIVERY_NOTIFIED = "delivery_notified", "Delivery service notified"
        PARTLY_SHIPPED = "partly_shipped", "Partly shipped"
        SHIPPED = "shipped", "Shipped"
        DELIVERED = "delivered", "Delivered"

    OVER = (Status.COMPLETED, Status.CANCELLED)
    WAITING = (Status.PLACED, Status.CONFIRMED)
    UNDER_WAY = (*WAITING, Status.PICKING)
    FILLED = (*UNDER_WAY, Status.ON_HOLD)  # what waits gets goods as they come
    LEAVING = (*UNDER_WAY, Status.PACKED)

    number = models.CharField(max_length=40, null=True, editable=False, help_text="Given as it is placed.")
    number_key = SearchKeyField("number")
    channel = TenantForeignKey(Channel, related_name="+")
    customer = TenantForeignKey(Customer, null=True, blank=True, related_name="orders")
    warehouse = TenantForeignKey(Warehouse, related_name="+")
    email = models.EmailField(blank=True, validators=[EmailValidator()], help_text="Where news of the order go.")
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT, editable=False)
    held_from = models.CharField(max_length=10, blank=True, editable=False, help_text="The status to which it goes back.")
    payment_status = models.CharField(
        max_length=12, choices=PaymentStatus, default=PaymentStatus.UNPAID, editable=False,
    )
    fulfilment_status = models.CharField(
        max_length=20, choices=FulfilmentStatus, default=FulfilmentStatus.NOT_STARTED, editable=False,
    )
    currency = CurrencyField()
    shipping_address = models.JSONField(default=dict, blank=True)
    billing_address = models.JSONField(default=dict, blank=True)
    shipping_method = TenantForeignKey(
        ShippingMethod, null=True, blank=True, related_name="+", help_text="How it is sent, which has its price.",
    )
    requested_on = models.DateField("wanted by", null=True, blank=True)
    note = models.CharField(max_length=500, blank=True)
    net_total = MoneyField(default=0, editable=False)
    tax_total = MoneyField(default=0, editable=False)
    total = MoneyField(default=0, editable=False, help_text="With tax, shipping and discounts.")
    paid_total = MoneyField("paid", default=0, db_default=0, editable=False, help_text="What was taken of the customer.")
    refunded_total = MoneyField("refunded", default=0, db_default=0, editable=False, help_text="What of that went back.")
    credited_total = MoneyField(
        "credited", default=0, db_default=0, editable=False,
        help_text="What refunded returns, and credit notes of money alone, take off the total. Open is the total less this, less"
        " what is paid, and what of that was refunded; below 0 the customer is owed it.",
    )
    revision = models.PositiveIntegerField(default=0, editable=False, help_text="How often its lines were replaced.")
    error_code = models.CharField(max_length=40, blank=True, editable=False)
    placed_at = models.DateTimeField(null=True, blank=True, editable=False)
    packed_at = models.DateTimeField(null=True, blank=True, editable=False)
    shipped_at = models.DateTimeField(null=True, blank=True, editable=False)
    delivered_at = models.DateTimeField(null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    moved_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When it took its last step.")
    stuck_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When it was found to stand still for too long; empty once it moves.",
    )
    external_ref = external_ref()

    class Meta:
        permissions = [
            ("shop_salesorder", "Can order for themselves, and see their own orders"),
            ("place_salesorder", "Can place sales orders, which reserves the goods"),
            ("cancel_salesorder", "Can cancel sales orders"),
            ("hold_salesorder", "Can hold sales orders, and release them"),
            ("fulfil_salesorder", "Can say that sales orders are packed, shipped and delivered"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["organization", "number"], name="sales_order_number"),
            external_ref_unique("sales_order_external_ref"),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "cancelled"]) | Q(number__isnull=False), name="sales_order_placed_has_number",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "number_key"], name="sales_order_search"),
            models.Index(fields=["organization", "status", "id"], name="sales_order_by_status"),
            models.Index(fields=["organization", "customer", "-placed_at"], name="sales_order_by_customer"),
            models.Index(fields=["organization", "placed_at", "id"], name="sales_order_by_time"),
            models.Index(fields=["organization", "channel", "id"], name="sales_order_by_channel"),
            models.Index(fields=["organization", "warehouse", "id"], name="sales_order_by_warehouse"),
            models.Index(fields=["organization", "stuck_at", "id"], name="sales_order_by_stuck"),
            models.Index(fields=["organization", "shipping_method", "id"], name="sales_order_by_method"),
        ]

    def __str__(self) -> str:
        return self.number or "Cart"


class SalesOrderItem(TenantModel):
    """What was ordered less what was canceled is allocated, of that picked, of that shipped, of that returned.

    Each quantity counts all that came so far: what is shipped was picked and allocated.

    A kit that is sold by its components has its price; the lines of its components, which cost nothing, have the goods. The
    database lets the kit's line follow: it has as many as are whole, and of what came back the part of its price.
    """

    stands_in = ("order.warehouse",)

    class BackorderPolicy(models.TextChoices):
        CHANNEL = "channel", "As the channel says"
        REFUSE = "refuse", "Not without goods"
        WAIT = "wait", "Waits for goods"

    order = TenantForeignKey(SalesOrder, related_name="lines")
    line = models.PositiveIntegerField(default=0)
    variant = TenantForeignKey(ProductVariant, related_name="+")
    sku = models.CharField("SKU", max_length=64, editable=False)
    name = models.CharField(max_length=400, editable=False)
    vehicle_model = TenantForeignKey(VehicleModel, null=True, blank=True, related_name="+", help_text="What it shall fit.")
    sold_by_components = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="A kit: the lines of its components have its goods.",
    )
    kit = TenantForeignKey(
        "self", null=True, blank=True, editable=False, related_name="components",
        help_text="Of a component, the line of the kit that it is part of.",
    )
    per_kit = QuantityField(null=True, blank=True, editable=False, help_text="Of a component, how much is in one kit.")
    kit_share = models.DecimalField(
        max_digits=7, decimal_places=6, null=True, blank=True, editable=False,
        help_text="Of a component, its share of what the kit costs, by standard costs.",
    )
    quantity = QuantityField()
    unit_price = MoneyField(help_text="Of one base unit.")
    discount = MoneyField(default=0, help_text="Off the whole line.")
    includes_tax = models.BooleanField(default=False, help_text="Whether the price has the tax in it.")
    tax_rate = models.DecimalField(max_digits=7, decimal_places=4, default=0, help_text="Per cent.")
    net_amount = MoneyField(default=0)
    tax_amount = MoneyField(default=0)
    promotion_discount = MoneyField(
        default=0, db_default=0, editable=False, help_text="What promotions take off it, with tax; it stands in the adjustments.",
    )
    price_agreed = models.BooleanField(default=False, help_text="Whether it stays, whatever the price lists say.")
    price_reason = models.CharField(max_length=300, blank=True, help_text="Why it costs that.")
    backorder_policy = models.CharField(max_length=7, choices=BackorderPolicy, default=BackorderPolicy.CHANNEL)
    allocated_quantity = QuantityField("allocated", default=0)
    picked_quantity = QuantityField("picked", default=0)
    shipped_quantity = QuantityField("shipped", default=0)
    returned_quantity = QuantityField("returned", default=0)
    cancelled_quantity = QuantityField("canceled", default=0)
    invoiced_quantity = QuantityField("invoiced", default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "order", "line"], name="sales_order_item_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="sales_order_item_quantity_positive"),
            models.CheckConstraint(
                condition=Q(cancelled_quantity__gte=0, invoiced_quantity__gte=0, returned_quantity__gte=0, unit_price__gte=0,
                            discount__gte=0, tax_rate__gte=0),
                name="sales_order_item_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=F("allocated_quantity") + F("cancelled_quantity"))
                & Q(allocated_quantity__gte=F("picked_quantity")) & Q(picked_quantity__gte=F("shipped_quantity"))
                & Q(shipped_quantity__gte=F("returned_quantity")),
                name="sales_order_item_in_order",
                violation_error_message="Ordered, allocated, picked, shipped, returned: none is more than the one before.",
            ),
            models.CheckConstraint(
                condition=Q(kit__isnull=True, per_kit__isnull=True, kit_share__isnull=True)
                | Q(kit__isnull=False, per_kit__gt=0, kit_share__gte=0, sold_by_components=False, unit_price=0),
                name="sales_order_item_of_kit",
            ),
            models.CheckConstraint(
                condition=Q(invoiced_quantity__lte=F("quantity")), name="sales_order_item_invoices_what_is_ordered",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "variant", "order"], name="sales_order_item_by_variant"),
            models.Index(fields=["organization", "vehicle_model"], name="sales_order_item_by_vehicle"),
            models.Index(fields=["organization", "kit"], name="sales_order_item_by_kit"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} of {self.sku}"


class OrderAdjustment(TenantModel):
    """What is added to the goods of an order, or taken off; `source` says by what: a promotion, a shipping method, a person."""

    stands_in = ("order.warehouse",)

    class Kind(models.TextChoices):
        DISCOUNT = "discount", "Discount"
        SURCHARGE = "surcharge", "Surcharge"
        SHIPPING = "shipping", "Shipping"
        ROUNDING = "rounding", "Rounding"

    order = TenantForeignKey(SalesOrder, related_name="adjustments")
    kind = models.CharField(max_length=9, choices=Kind)
    label = models.CharField(max_length=200)
    net_amount = MoneyField(help_text="Less than 0 where it is taken off.")
    tax_rate = models.DecimalField(max_digits=7, decimal_places=4, default=0, help_text="Per cent.")
    tax_amount = MoneyField(default=0)
    source_type = models.CharField(max_length=40, blank=True)
    source_id = models.UUIDField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="discount", net_amount__lte=0) | Q(kind__in=["surcharge", "shipping"], net_amount__gte=0)
                | Q(kind="rounding"),
                name="order_adjustment_sign", violation_error_message="A discount takes off, shipping and surcharges add.",
            ),
        ]
        indexes = [models.Index(fields=["organization", "order"], name="order_adjustment_by_order")]

    def __str__(self) -> str:
        return self.label
