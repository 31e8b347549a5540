"""What a person is selling: its lines with the customer's prices and what is available, and what may be added."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Min, Q, Subquery, Sum, TextField, Value

from accounts.models import Address, Contact
from core.fields import QuantityField
from inventory.gs1.digits import as_gtin14, is_gtin
from inventory.models import ProductBarcode, ProductVariant
from inventory.queries import prices
from inventory.queries.search import variant_search
from inventory.queries.stock_card import stock_of
from orders.models import Channel, Customer, OrderEntry, SalesOrder

ZERO = Decimal(0)
UNKNOWN = prices.Amounts()
MOST_SUGGESTIONS = 8


@dataclass(frozen=True, slots=True)
class EntryLine:
    """`variant` is None where nobody knows the `code`."""

    variant: UUID | None
    code: str
    sku: str
    name: str
    quantity: Decimal
    is_archived: bool = False

    @property
    def key(self) -> str:
        return line_key(self.variant, self.code)


def line_key(variant: UUID | None, code: str) -> str:
    """What tells a line from the others."""
    return str(variant or f"?{code}")


@dataclass(frozen=True, slots=True)
class PricedLine:
    """`problem`: why it cannot be placed as it is. Of a line that waits for goods, `short` says how much is missing."""

    line: EntryLine
    available: Decimal = ZERO
    unit_price: Decimal | None = None
    amounts: prices.Amounts = UNKNOWN
    problem: str = ""

    @property
    def short(self) -> Decimal:
        return max(self.line.quantity - max(self.available, ZERO), ZERO)


@dataclass(frozen=True, slots=True)
class Priced:
    currency: str
    lines: list[PricedLine]

    @property
    def total(self) -> prices.Amounts:
        """Of the lines whose price is known."""
        known = [one.amounts for one in self.lines if one.amounts.net is not None]
        net, tax = sum((one.net or ZERO for one in known), ZERO), sum((one.tax or ZERO for one in known), ZERO)
        return prices.Amounts(net, tax, net + tax)

    @property
    def is_whole(self) -> bool:
        return not any(one.problem for one in self.lines)


@dataclass(frozen=True, slots=True)
class Suggestion:
    variant: UUID
    sku: str
    name: str
    available: Decimal
    unit_price: Decimal | None


@dataclass(frozen=True, slots=True)
class Entered:
    """The lines in the order in which they were begun, of which what was taken back is none, and the step that was the last."""

    lines: list[EntryLine]
    last_step: str


def entered(entry: OrderEntry) -> Entered:
    names = ("variant_id", "code", "variant__sku", "variant__name", "variant__product__name", "variant__archived_at")
    latest = entry.steps.order_by("-pk").values("step")[:1]
    steps = entry.steps.annotate(latest=Subquery(latest)).values(*names, "latest")
    sums = steps.annotate(first=Min("created_at"), place=Min("number"), total=Sum("quantity"))
    rows = list(sums.order_by("first", "place", "variant__sku", "code").values_list(*names, "total", "latest"))
    lines = [
        EntryLine(variant, code, sku or "", name or product or "", total, archived is not None)
        for variant, code, sku, name, product, archived, total, _ in rows if total > 0
    ]
    return Entered(lines, rows[0][-1] if rows else "")


def priced(entry: OrderEntry, lines: Sequence[EntryLine]) -> Priced:
    """As the order will be, if it is placed now: two statements for the prices, one for the stock."""
    known = [line for line in lines if line.variant and not line.is_archived]
    currency = entry.channel.currency if entry.channel else ""
    if not known:
        return Priced(currency, [PricedLine(line, problem=_unknown(line)) for line in lines])
    quote = prices.prices_of(_question(entry), [prices.Wanted(line.variant, line.quantity) for line in known if line.variant])
    exempt = bool(entry.customer and entry.customer.tax_exempt)
    needs_tax = not exempt and any(cost.goods.rate is None for cost in quote.costs) and quote.charges_tax
    available = _available(entry, [line.variant for line in known if line.variant])
    found = {
        line.key: _priced(line, cost, available[cost.wanted.variant_id], exempt=exempt, needs_tax=needs_tax, currency=currency)
        for line, cost in zip(known, quote.costs, strict=True)
    }
    return Priced(quote.asked.currency, [found.get(line.key) or PricedLine(line, problem=_unknown(line)) for line in lines])


def _question(entry: OrderEntry) -> prices.Question:
    """That of the order to be, which goes to the customer's own place."""
    return prices.Question(
        party_id=entry.customer.party_id if entry.customer else None, currency=entry.channel.currency if entry.channel else "",
    )


def _unknown(line: EntryLine) -> str:
    return "is archived: take it out" if line.is_archived else "is not known: type its code, or 0 to take it out"


def _available(entry: OrderEntry, variants: Collection[UUID]) -> dict[UUID, Decimal]:
    """Where the channel's goods lie."""
    where = [entry.channel.warehouse_id] if entry.channel else []
    return {key: stock.available for key, stock in stock_of(variants, warehouses=where, most=1).items()}


def _priced(
    line: EntryLine, cost: prices.Cost, available: Decimal, *, exempt: bool, needs_tax: bool, currency: str,
) -> PricedLine:
    if cost.unit_price is None or cost.offer is None:
        return PricedLine(line, available, problem=cost.why)
    if needs_tax and cost.goods.rate is None:
        return PricedLine(line, available, cost.unit_price, problem=cost.problems[-1].detail)
    amounts = prices.amounts(
        cost.unit_price, line.quantity, cost.goods.rate or ZERO, currency, includes_tax=cost.offer.includes_tax, exempt=exempt,
    )
    return PricedLine(line, available, cost.unit_price, amounts)


def suggestions(entry: OrderEntry, text: str) -> list[Suggestion]:
    """What the text may mean, the likeliest first, with what is available and what this customer pays for one."""
    rows = variant_search(text).narrow(
        ProductVariant.objects.filter(archived_at=None).select_related("product"),
    )[:MOST_SUGGESTIONS]
    found = list(rows)
    if not found:
        return []
    quote = prices.prices_of(_question(entry), [prices.Wanted(row.pk) for row in found])
    available = _available(entry, [row.pk for row in found])
    return [
        Suggestion(row.pk, row.sku, row.name or row.product.name, available[row.pk], cost.unit_price)
        for row, cost in zip(found, quote.costs, strict=True)
    ]


def variants_by_code(codes: Iterable[str]) -> dict[str, tuple[UUID, Decimal]]:
    """By the code in lower case: its variant, and how many pieces a code of it stands for. SKUs before barcodes."""
    keys = {code.lower() for code in codes}
    gtins = {as_gtin14(key): key for key in keys if is_gtin(key)}
    barcodes = ProductBarcode.objects.filter(Q(value_key__in=keys) | Q(gtin__in=gtins), variant__archived_at=None).values_list(
        "value_key", "gtin", "variant", "quantity",
    )
    skus = ProductVariant.objects.filter(sku_key__in=keys, archived_at=None).values_list(
        "sku_key", Value(None, TextField()), "pk", Value(None, QuantityField()),
    )
    by_sku, by_barcode = {}, {}
    for value, gtin, variant, quantity in barcodes.union(skus, all=True):
        if quantity is None:
            by_sku[value] = (variant, Decimal(1))
        else:
            by_barcode[value if value in keys else gtins[gtin]] = (variant, quantity)
    return by_barcode | by_sku


def customers_by(text: str, *, most: int) -> list[Customer]:
    """The one of this code, else those whose code or name begins so."""
    key = text.strip().lower()
    rows = Customer.objects.filter(archived_at=None).select_related("party")
    if not key:
        return []
    exact = list(rows.filter(code_key=key))
    return exact or list(rows.filter(Q(code_key__startswith=key) | Q(party__name_key__startswith=key)).order_by("code")[:most])


def channels_in(warehouses: Collection[UUID] | None) -> list[Channel]:
    """Those that take orders, where one may place them."""
    rows = Channel.objects.filter(is_active=True).order_by("code")
    return list(rows if warehouses is None else rows.filter(warehouse__in=warehouses))


def last_order(customer: Customer) -> SalesOrder | None:
    """That was placed, and not taken back."""
    rows = SalesOrder.objects.filter(customer=customer, placed_at__isnull=False).exclude(status=SalesOrder.Status.CANCELLED)
    found: SalesOrder | None = rows.order_by("-placed_at").first()
    return found


def whereto(customer: Customer) -> dict[str, Any]:
    """The columns of an order that the partner's own records fill: its default addresses, and the primary contact's address."""
    kinds = Address.Kind
    rows = {one.kind: one for one in Address.objects.filter(party=customer.party_id, is_default=True)}
    shipping, billing = rows.get(kinds.SHIPPING) or rows.get(kinds.BILLING), rows.get(kinds.BILLING)
    email = Contact.objects.filter(party=customer.party_id, is_primary=True).values_list("email", flat=True).first()
    return {
        "shipping_address": _snapshot(customer, shipping), "billing_address": _snapshot(customer, billing), "email": email or "",
    }


def _snapshot(customer: Customer, address: Address | None) -> dict[str, str]:
    if address is None:
        return {}
    names = ("street1", "street2", "city", "region", "postal_code", "country")
    return {"name": customer.party.name, **{name: value for name in names if (value := getattr(address, name))}}
