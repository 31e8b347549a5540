from django.db import models

from core.models import RuntimeModel


class SearchToken(RuntimeModel):
    """A word by which a product, or one of its variants, is found; the database writes it. See ADR 36.

    `source_id` is the row whose text it is: the product, the variant, a barcode, a supplier's item. Without foreign keys,
    which would cost more than the row: the trigger that writes it also takes it away, and `manage.py verify` compares.
    """

    source_id = models.UUIDField()
    product_id = models.UUIDField()
    variant_id = models.UUIDField(null=True)
    token = models.CharField(max_length=64, db_collation="C")
    is_code = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["organization", "token"], include=["product_id", "variant_id", "is_code"], name="search_by_token",
            ),
            models.Index(fields=["organization", "product_id", "source_id"], name="search_by_source"),
        ]

    def __str__(self) -> str:
        return self.token
