"""What the demo's vehicle-parts company sells for, and to whom for less."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from accounts.models import Address, Party
from inventory.models import PriceList, PriceListItem, ProductVariant, TaxCategory, TaxRate
from inventory.queries.price_changes import Change
from inventory.services.prices import price_list_change

RETAIL, WORKSHOP = "RETAIL", "WORKSHOP"
MARKUP_OF_RETAIL = Decimal("2.2")  # with tax
MARKUPS_BY_QUANTITY = {1: Decimal("1.45"), 10: Decimal("1.35"), 50: Decimal("1.25")}
ENDING = Decimal("0.95")
# Portugal, its mainland and its islands: category, region, percent, since when.
RATES = (
    ("standard", "", 23, date(2011, 1, 1)), ("reduced", "", 6, date(2011, 1, 1)),
    ("standard", "Madeira", 22, date(2012, 4, 1)), ("standard", "Açores", 16, date(2021, 7, 1)),
)


def prices_create() -> None:
    """A list for everybody, with tax; one for a workshop, without, cheaper from 10 and from 50 pieces on."""
    categories = {category.code: category for category in TaxCategory.objects.all()}
    TaxRate.objects.bulk_create([
        TaxRate(tax_category=categories[code], country="PT", region=region, rate=rate, valid_from=since)
        for code, region, rate, since in RATES
    ])
    workshop = Party.objects.create(name="Oficina do Bairro, Lda", external_ref="customer:WORKSHOP", payment_terms_days=30)
    Address.objects.create(
        party=workshop, kind=Address.Kind.SHIPPING, street1="Rua da Alegria 214", city="Porto", postal_code="4000-039",
        country="PT", is_default=True,
    )
    retail = PriceList.objects.create(code=RETAIL, name="Retail", currency="EUR", includes_tax=True)
    special = PriceList.objects.create(code=WORKSHOP, name="Workshops", currency="EUR", party=workshop)
    variants = list(ProductVariant.objects.order_by("sku"))
    PriceListItem.objects.bulk_create([
        PriceListItem(price_list=retail, variant=variant, price=_cents(variant.standard_cost * MARKUP_OF_RETAIL))
        for variant in variants
    ])
    price_list_change(price_list_id=retail.pk, change=Change(ending=ENDING))
    PriceListItem.objects.bulk_create([
        PriceListItem(
            price_list=special, variant=variant, min_quantity=quantity, price=_cents(variant.standard_cost * markup),
        )
        for variant in variants for quantity, markup in MARKUPS_BY_QUANTITY.items()
    ])


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
