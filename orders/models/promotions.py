from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q

from core.fields import CurrencyField, MoneyField, SearchKeyField
from core.models import TenantForeignKey, TenantModel
from inventory.models import Category, ProductVariant
from orders.models.channels import Channel, Customer
from orders.models.sales import SalesOrder
from orders.models.shipping import ShippingMethod

promotion_code = RegexValidator(r"^[A-Z0-9][A-Z0-9-]{2,39}\Z", "3 to 40 capital letters, digits and hyphens, such as SPRING-10.")

EFFECTS = {
    "percentage": ("percent",), "amount": ("amount",), "free_shipping": (), "buy_get": ("buy_quantity", "free_quantity"),
}
TERMS = ("percent", "amount", "buy_quantity", "free_quantity")


def says_its_effect() -> Q:
    """Each effect has its own columns, and no others."""
    found = Q()
    for effect, needed in EFFECTS.items():
        found |= Q(effect=effect, **{f"{name}__isnull": name not in needed for name in TERMS})
    return found


class Promotion(TenantModel):
    """What is taken off orders that meet its conditions: of those where its code was given, or, without a code, of all.

    `used_count` is written by the services alone. What orders have used keeps its terms: the database refuses to change them.
    """

    annotated = True
    audit_ignored = ("used_count",)  # its uses account for it

    class Effect(models.TextChoices):
        PERCENTAGE = "percentage", "Per cent off"
        AMOUNT = "amount", "Amount off"
        FREE_SHIPPING = "free_shipping", "Free shipping"
        BUY_GET = "buy_get", "Buy some, get some free"

    name = models.CharField(max_length=100, help_text="What the customer reads.")
    name_key = SearchKeyField("name")
    code = models.CharField(
        max_length=40, null=True, blank=True, validators=[promotion_code],
        help_text="What the customer types, in small letters or capitals. Empty: it counts by itself.",
    )
    code_key = SearchKeyField("code")
    effect = models.CharField(max_length=13, choices=Effect)
    percent = models.DecimalField(
        max_digits=7, decimal_places=4, null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="Of the goods it is for.",
    )
    amount = MoneyField(
        null=True, blank=True, validators=[MinValueValidator(0)], help_text="With tax; no more than the goods it is for cost.",
    )
    buy_quantity = models.PositiveIntegerField(
        "buy", null=True, blank=True, help_text="So many of a line are paid for, and then some are free.",
    )
    free_quantity = models.PositiveIntegerField("get free", null=True, blank=True, help_text="So many.")
    currency = CurrencyField(
        blank=True, help_text="Of orders in this currency alone. An amount needs one. Empty: of all.",
    )
    min_total = MoneyField(
        "from a total of", null=True, blank=True, validators=[MinValueValidator(0)],
        help_text="What the goods of the order cost at least, with tax. Empty: anything.",
    )
    starts_at = models.DateTimeField("begins", null=True, blank=True, help_text="Empty: it has begun.")
    ends_at = models.DateTimeField("ends", null=True, blank=True, help_text="It counts before this. Empty: until further notice.")
    channel = TenantForeignKey(Channel, null=True, blank=True, related_name="+", help_text="Empty: all channels.")
    customer = TenantForeignKey(Customer, null=True, blank=True, related_name="+", help_text="Empty: everybody.")
    shipping_method = TenantForeignKey(
        ShippingMethod, null=True, blank=True, related_name="+", help_text="Which is free, of free shipping. Empty: any.",
    )
    is_stackable = models.BooleanField(
        "stackable", default=False, help_text="Whether it goes together with others that are; else it stands alone.",
    )
    priority = models.IntegerField(default=0, help_text="The highest comes first. Of equal ones, those with a code.")
    max_uses = models.PositiveIntegerField(null=True, blank=True, help_text="How many orders may have it. Empty: any number.")
    max_per_customer = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many orders of one customer may have it. Empty: any number.",
    )
    used_count = models.PositiveIntegerField(
        "used", default=0, db_default=0, editable=False, help_text="How many orders have it.",
    )
    is_active = models.BooleanField("active", default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "code"], name="promotion_code_per_organization"),
            models.CheckConstraint(
                condition=Q(code__isnull=True) | ~Q(code=""), name="promotion_code_not_empty",
                violation_error_message="A promotion without a code has null.",
            ),
            models.CheckConstraint(
                condition=says_its_effect(), name="promotion_says_its_effect",
                violation_error_message="Per cent off has percent, an amount off has amount, buy some get some free has"
                                        " buy and get free, free shipping has none of them.",
            ),
            models.CheckConstraint(
                condition=(Q(percent__isnull=True) | Q(percent__gt=0, percent__lte=100))
                & (Q(amount__isnull=True) | Q(amount__gt=0)) & (Q(buy_quantity__isnull=True) | Q(buy_quantity__gte=1))
                & (Q(free_quantity__isnull=True) | Q(free_quantity__gte=1)),
                name="promotion_takes_something_off", violation_error_message="It takes off more than nothing, at most 100 %.",
            ),
            models.CheckConstraint(
                condition=Q(amount__isnull=True, min_total__isnull=True) | ~Q(currency=""), name="promotion_says_its_currency",
                violation_error_message="An amount, or a total from which on it counts, needs a currency.",
            ),
            models.CheckConstraint(
                condition=Q(shipping_method__isnull=True) | Q(effect="free_shipping"), name="promotion_method_is_free",
                violation_error_message="A shipping method belongs to free shipping.",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True) | Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="promotion_ends_after_it_begins", violation_error_message="It ends before it begins.",
            ),
            models.CheckConstraint(
                condition=(Q(max_uses__isnull=True) | Q(max_uses__gte=1))
                & (Q(max_per_customer__isnull=True) | Q(max_per_customer__gte=1)),
                name="promotion_may_be_used", violation_error_message="A limit is one or more; make it inactive to end it.",
            ),
            models.CheckConstraint(
                condition=Q(min_total__isnull=True) | Q(min_total__gte=0), name="promotion_min_total_not_negative",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "code_key"], name="promotion_search_code"),
            models.Index(fields=["organization", "name_key"], name="promotion_search_name"),
            models.Index(fields=["organization", "channel"], name="promotion_by_channel"),
            models.Index(fields=["organization", "customer"], name="promotion_by_customer"),
            models.Index(fields=["organization", "shipping_method"], name="promotion_by_method"),
            models.Index(
                fields=["organization", "ends_at"], condition=Q(code__isnull=True, is_active=True), name="promotion_automatic",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})" if self.code else self.name


class PromotionGoods(TenantModel):
    """One of the goods that a promotion is for: a variant, or a category with all below it. Without any, it is for all goods."""

    promotion = TenantForeignKey(Promotion, models.CASCADE, related_name="goods")
    variant = TenantForeignKey(ProductVariant, null=True, blank=True, related_name="+")
    category = TenantForeignKey(Category, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = "goods of a promotion"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "promotion", "variant", "category"], name="promotion_goods_once", nulls_distinct=False,
                violation_error_message="The promotion is for these goods already.",
            ),
            models.CheckConstraint(
                condition=Q(variant__isnull=False, category__isnull=True) | Q(variant__isnull=True, category__isnull=False),
                name="promotion_goods_are_one_thing", violation_error_message="Name a variant or a category.",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "variant"], name="promotion_goods_by_variant"),
            models.Index(fields=["organization", "category"], name="promotion_goods_by_category"),
        ]

    def __str__(self) -> str:
        return str(self.variant or self.category)


class PromotionUse(TenantModel):
    """A promotion of an order. In a cart it holds nothing yet; an order that is placed has claimed it, until it is canceled or
    takes nothing off any more.
    """

    stands_in = ("order.warehouse",)

    promotion = TenantForeignKey(Promotion, related_name="uses")
    order = TenantForeignKey(SalesOrder, related_name="promotion_uses")
    customer = TenantForeignKey(Customer, null=True, blank=True, related_name="+", help_text="Of an order that is placed.")
    amount = MoneyField(default=0, help_text="What it takes off, with tax.")
    reason = models.CharField(max_length=40, blank=True, help_text="Why it takes nothing off, for programs: promotion_ended.")
    why = models.CharField(max_length=300, blank=True, help_text="Why it takes nothing off.")
    claimed_at = models.DateTimeField(null=True, blank=True, help_text="When the order was placed: from then on it counts.")
    released_at = models.DateTimeField(null=True, blank=True, help_text="When it was given back.")
    shared_amount = MoneyField(
        null=True, blank=True, help_text="Of an order that was split: its part of what was taken off the whole.",
    )
    shared_with = TenantForeignKey(
        "self", null=True, blank=True, related_name="sharers",
        help_text="Of an order that was split off another: the use that counts for both.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "promotion", "order"], name="promotion_use_once",
                violation_error_message="The order has this promotion already.",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "order"], name="promotion_use_by_order"),
            models.Index(fields=["organization", "customer", "promotion"], name="promotion_use_by_customer"),
            models.Index(fields=["organization", "shared_with"], name="promotion_use_by_shared"),
        ]

    def __str__(self) -> str:
        return f"{self.promotion} on {self.order}"
