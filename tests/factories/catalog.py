from datetime import date
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from inventory.models import AttributeDefinition, BomLine, ProductAttributeValue, ProductRelation
from tests.factories.inventory import ProductVariantFactory, UnitOfMeasureFactory


class AttributeDefinitionFactory(DjangoModelFactory):
    code = factory.Sequence("attribute_{}".format)
    name = factory.Sequence("Attribute {}".format)
    data_type = AttributeDefinition.DataType.MEASURE
    unit = factory.SubFactory(UnitOfMeasureFactory)

    class Meta:
        model = AttributeDefinition


class ProductAttributeValueFactory(DjangoModelFactory):
    definition = factory.SubFactory(AttributeDefinitionFactory)
    variant = factory.SubFactory(ProductVariantFactory)
    product = factory.SelfAttribute("variant.product")
    value_number = Decimal(5)
    unit = factory.SelfAttribute("definition.unit")

    class Meta:
        model = ProductAttributeValue


class BomLineFactory(DjangoModelFactory):
    assembly = factory.SubFactory(ProductVariantFactory)
    component = factory.SubFactory(ProductVariantFactory)
    quantity = Decimal(2)

    class Meta:
        model = BomLine


class ProductRelationFactory(DjangoModelFactory):
    from_variant = factory.SubFactory(ProductVariantFactory)
    to_variant = factory.SubFactory(ProductVariantFactory)
    kind = ProductRelation.Kind.SUPERSEDES
    valid_from = date(2026, 1, 1)

    class Meta:
        model = ProductRelation
