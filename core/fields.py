"""Columns that several models share."""

from decimal import Decimal
from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Lower


class TenantForeignKey(models.ForeignKey):
    """A reference within one organization.

    Its constraint is composite, (organization_id, x_id) -> (organization_id, id), and built by `core.wall`:
    a plain one accepts another organization's row, because the database checks foreign keys without row
    security. Its index starts with the organization too, hence none of Django's own.
    """

    def __init__(self, to: Any, on_delete: Any = models.PROTECT, **kwargs: Any) -> None:
        super().__init__(to, on_delete, **{**kwargs, "db_constraint": False, "db_index": False})


class QuantityField(models.DecimalField):
    """In the product's base unit."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "max_digits": 19, "decimal_places": 6})


class MoneyField(models.DecimalField):
    """An amount; its currency stands in a column beside it or is the organization's base currency."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "max_digits": 19, "decimal_places": 6})


class CurrencyField(models.CharField):
    """ISO 4217 code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "max_length": 3})


class SearchKeyField(models.GeneratedField):
    """The lower-case copy of a text column, for search by prefix.

    LIKE and lower() are not leakproof, so under row security their indexes are lost; `^@` on a stored
    column in the C collation keeps its index.
    """

    def __init__(self, source: str = "", **kwargs: Any) -> None:
        self.source = source
        output = models.CharField(max_length=400, db_collation="C")
        super().__init__(
            **{**kwargs, "expression": Lower(source), "output_field": output, "db_persist": True, "editable": False}
        )

    def deconstruct(self) -> Any:
        name, path, _, kwargs = super().deconstruct()
        for derived in ("expression", "output_field", "db_persist", "editable"):
            kwargs.pop(derived, None)
        return name, path, [], {**kwargs, "source": self.source}


class SequenceField(models.BigIntegerField):
    """The order in which rows were written, numbered by the database; gaps are possible."""

    generated = True  # neither inserted nor updated by Django
    db_returning = True
    _auto_created = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "editable": False})

    def db_type(self, connection: Any) -> str:
        return "bigint GENERATED ALWAYS AS IDENTITY"

    def rel_db_type(self, connection: Any) -> str:
        return "bigint"

    def cast_db_type(self, connection: Any) -> str:
        return "bigint"


not_negative = MinValueValidator(Decimal(0))
