"""A product with variants, and attributes of each type, to test with."""

from dataclasses import dataclass
from typing import Any

from inventory.models import AttributeDefinition, Product, ProductVariant, UnitOfMeasure
from tests.companies import Company
from tests.contracts.resources import ids
from tests.factories.inventory import ProductFactory, ProductVariantFactory

VARIANTS, PRODUCTS = "/api/v1/product-variants/", "/api/v1/products/"
DEFINITIONS, VALUES = "/api/v1/attribute-definitions/", "/api/v1/product-attribute-values/"


@dataclass
class Wares:
    company: Company
    product: Product
    variants: list[ProductVariant]
    attributes: dict[str, AttributeDefinition]

    @classmethod
    def create(cls, company: Company, variants: int = 3) -> "Wares":
        with company.scope():
            product = ProductFactory(name="Phone")
            made = ProductVariantFactory.create_batch(variants, product=product)
            byte = UnitOfMeasure.objects.get(code="E34")
            attributes = [AttributeDefinition(name=options["code"].title(), **options) for options in (
                {"code": "color", "data_type": "choice", "options": ["black", "Red", "blue"], "is_variant_axis": True},
                {"code": "storage", "data_type": "measure", "unit": byte, "is_variant_axis": True},
                {"code": "maker_code", "data_type": "text"},
                {"code": "cores", "data_type": "integer"},
                {"code": "rating", "data_type": "decimal"},
                {"code": "waterproof", "data_type": "boolean"},
                {"code": "launched", "data_type": "date"},
                {"code": "secret", "data_type": "text", "is_filterable": False},
            )]  # fmt: skip
            AttributeDefinition.objects.bulk_create(attributes)
        return cls(company, product, made, {one.code: one for one in attributes})

    def set(self, row: Any, method: str = "patch", **values: Any) -> Any:
        prefix = VARIANTS if isinstance(row, ProductVariant) else PRODUCTS
        return self.company.api.send(method, f"{prefix}{row.pk}/attributes/", {"attributes": values})

    def given(self, row: Any, **values: Any) -> None:
        answer = self.set(row, **values)
        assert answer.status_code == 200, answer.content

    def found(self, prefix: str = VARIANTS, **query: str) -> list[int]:
        """The numbers of the variants, or of products 0 and on, that a list shows."""
        given = {f"attr.{name}": text for name, text in query.items()}
        answer = self.company.api.get(prefix, {**given, **({"product": str(self.product.pk)} if prefix == VARIANTS else {})})
        assert answer.status_code == 200, answer.content
        rows = ids(self.variants if prefix == VARIANTS else [self.product])
        return sorted(rows.index(one) for one in ids(answer.json()["results"]) if one in rows)
