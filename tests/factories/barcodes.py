import factory
from factory.django import DjangoModelFactory

from inventory.gs1.digits import completed
from inventory.models import ProductBarcode
from tests.factories.inventory import ProductVariantFactory


class ProductBarcodeFactory(DjangoModelFactory):
    variant = factory.SubFactory(ProductVariantFactory)
    value = factory.Sequence(lambda number: completed(f"5601234{number:05}"))

    class Meta:
        model = ProductBarcode
