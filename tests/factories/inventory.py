from decimal import Decimal
from uuid import uuid4

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from inventory.models import (
    Category,
    CountedPosting,
    Fitment,
    Location,
    Product,
    ProductVariant,
    ReasonCode,
    ReorderRule,
    ReorderTask,
    StockItem,
    StockMove,
    Supplier,
    SupplierProduct,
    UnitOfMeasure,
    VehicleModel,
    Warehouse,
)  # fmt: skip
from tests.factories.accounts import AddressFactory, MembershipFactory, PartyFactory
from tests.factories.taxes import TaxCategoryFactory


class UnitOfMeasureFactory(DjangoModelFactory):
    code = factory.Sequence("U{}".format)
    name = factory.Sequence("Unit {}".format)

    class Meta:
        model = UnitOfMeasure


class CategoryFactory(DjangoModelFactory):
    parent = factory.SubFactory("tests.factories.inventory.CategoryFactory", parent=None)
    name = factory.Sequence("Category {}".format)
    slug = factory.Sequence("category-{}".format)
    external_ref = factory.Sequence("category-{}".format)

    class Meta:
        model = Category


class ProductFactory(DjangoModelFactory):
    name = factory.Sequence("Product {}".format)
    category = factory.SubFactory(CategoryFactory, parent=None)
    manufacturer = factory.SubFactory(PartyFactory)
    base_unit = factory.SubFactory(UnitOfMeasureFactory)
    tax_category = factory.SubFactory(TaxCategoryFactory)
    external_ref = factory.Sequence("product-{}".format)

    class Meta:
        model = Product


class ProductVariantFactory(DjangoModelFactory):
    sku = factory.Sequence("SKU-{:05}".format)
    name = factory.Sequence("Variant {}".format)
    product = factory.SubFactory(ProductFactory)
    standard_cost = Decimal("2.50")
    external_ref = factory.Sequence("variant-{}".format)

    class Meta:
        model = ProductVariant


class VehicleModelFactory(DjangoModelFactory):
    make = factory.Sequence("Make {}".format)
    model = factory.Sequence("Model {}".format)
    year = 2020

    class Meta:
        model = VehicleModel


class FitmentFactory(DjangoModelFactory):
    variant = factory.SubFactory(ProductVariantFactory)
    vehicle_model = factory.SubFactory(VehicleModelFactory)

    class Meta:
        model = Fitment


class SupplierFactory(DjangoModelFactory):
    party = factory.SubFactory(PartyFactory)
    code = factory.Sequence("SUP-{}".format)
    external_ref = factory.Sequence("supplier-{}".format)

    class Meta:
        model = Supplier


class SupplierProductFactory(DjangoModelFactory):
    supplier = factory.SubFactory(SupplierFactory)
    variant = factory.SubFactory(ProductVariantFactory)
    supplier_sku = factory.Sequence("THEIRS-{}".format)

    class Meta:
        model = SupplierProduct


class WarehouseFactory(DjangoModelFactory):
    code = factory.Sequence("WH-{}".format)
    name = factory.Sequence("Warehouse {}".format)
    address = factory.SubFactory(AddressFactory, party=None, kind="site")
    external_ref = factory.Sequence("warehouse-{}".format)

    class Meta:
        model = Warehouse


class LocationFactory(DjangoModelFactory):
    warehouse = factory.SubFactory(WarehouseFactory)
    code = factory.Sequence("BIN-{}".format)
    parent = factory.SubFactory(
        "tests.factories.inventory.LocationFactory", parent=None, warehouse=factory.SelfAttribute("..warehouse"),
    )  # fmt: skip

    class Meta:
        model = Location


class ReasonCodeFactory(DjangoModelFactory):
    code = factory.Sequence("R{}".format)
    name = factory.Sequence("Reason {}".format)

    class Meta:
        model = ReasonCode


class StockItemFactory(DjangoModelFactory):
    """A balance without moves: tests of the ledger post instead."""

    variant = factory.SubFactory(ProductVariantFactory)
    location = factory.SubFactory(LocationFactory)
    warehouse = factory.SelfAttribute("location.warehouse")
    lot = factory.SubFactory("tests.factories.lots.LotFactory", variant=factory.SelfAttribute("..variant"))
    quantity = Decimal(10)
    reserved = Decimal(2)

    class Meta:
        model = StockItem


class StockMoveFactory(DjangoModelFactory):
    kind = StockMove.Kind.MOVE
    variant = factory.SubFactory(ProductVariantFactory)
    lot = factory.SubFactory("tests.factories.lots.LotFactory", variant=factory.SelfAttribute("..variant"))
    quantity = Decimal(3)
    from_location = factory.SubFactory(LocationFactory)
    to_location = factory.SubFactory(LocationFactory)
    reason = factory.SubFactory(ReasonCodeFactory)
    document_type = "test"
    document_id = factory.LazyFunction(uuid4)
    actor_id = factory.LazyFunction(uuid4)
    occurred_at = factory.LazyFunction(timezone.now)

    class Meta:
        model = StockMove


class CountedPostingFactory(DjangoModelFactory):
    idempotency_key = factory.Sequence("count {}".format)
    asked = "0" * 64

    class Meta:
        model = CountedPosting


class ReorderRuleFactory(DjangoModelFactory):
    """Low, since there is no stock."""

    variant = factory.SubFactory(ProductVariantFactory)
    warehouse = factory.SubFactory(WarehouseFactory)
    vehicle_model = factory.SubFactory(VehicleModelFactory)
    preferred_supplier = factory.SubFactory(SupplierFactory)
    source_warehouse = factory.SubFactory(WarehouseFactory)
    min_quantity = Decimal(5)
    max_quantity = Decimal(20)

    @factory.post_generation
    def fits(rule: ReorderRule, create: bool, extracted: None, **kwargs: None) -> None:  # noqa: N805  # of factory_boy
        """Each part of the rules fits each of their vehicles, so that a rule may take over another's."""
        parts, vehicles = (set(ReorderRule.objects.values_list(name, flat=True)) for name in ("variant_id", "vehicle_model_id"))
        pairs = {(rule.variant_id, vehicle) for vehicle in vehicles} | {(part, rule.vehicle_model_id) for part in parts}
        Fitment.objects.bulk_create([
            Fitment(variant_id=part, vehicle_model_id=vehicle) for part, vehicle in pairs if vehicle
        ], ignore_conflicts=True)

    class Meta:
        model = ReorderRule
        skip_postgeneration_save = True


class ReorderTaskFactory(DjangoModelFactory):
    rule = factory.SubFactory(ReorderRuleFactory)
    variant = factory.SelfAttribute("rule.variant")
    warehouse = factory.SelfAttribute("rule.warehouse")
    supplier = factory.SelfAttribute("rule.preferred_supplier")
    source_warehouse = factory.SelfAttribute("rule.source_warehouse")
    transfer_order = factory.SubFactory("tests.factories.transfers.TransferOrderFactory")
    assignee = factory.SubFactory(MembershipFactory)
    triggered_quantity = Decimal(0)
    threshold = Decimal(5)
    suggested_quantity = Decimal(20)
    explanation = factory.LazyFunction(lambda: {"basis": "available", "level": "0"})

    class Meta:
        model = ReorderTask
