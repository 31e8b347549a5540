from django.db import models

from core.models import RuntimeModel


class CategoryItem(RuntimeModel):
    """A variant at its place among those of its category, by type, brand and id, as `/items` lists them.

    Without foreign keys: it is made of the variant, its product, its attribute `type` and the manufacturer, and made anew as they
    change (ADR 72). Archived variants, and those without a category, have no place.
    """

    variant_id = models.UUIDField()
    product_id = models.UUIDField()
    category_id = models.UUIDField()
    type = models.CharField(max_length=400, db_collation="C")
    company = models.CharField(max_length=200, db_collation="C", help_text="The manufacturer's name.")

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["organization", "category_id", "type", "company", "variant_id"], name="category_item_by_type"),
            models.Index(fields=["organization", "category_id", "company", "type", "variant_id"], name="category_item_by_brand"),
            models.Index(fields=["organization", "product_id"], name="category_item_by_product"),
        ]

    def __str__(self) -> str:
        return f"{self.variant_id}"


class CategoryItemChange(RuntimeModel):
    """That a product, a manufacturer or an attribute has changed since places were made, or may have. The database writes it.

    One for each transaction and row, so that nobody waits for anybody.
    """

    subject_id = models.UUIDField()
    transaction = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["organization", "subject_id", "transaction"], name="category_item_change_once"),
        ]

    def __str__(self) -> str:
        return f"{self.subject_id}"


class CategoryItemsKept(RuntimeModel):
    """That somebody reads `/items`, and whether places are kept since."""

    is_kept = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["organization"], name="category_items_kept_once")]

    def __str__(self) -> str:
        return "kept" if self.is_kept else "to be kept"
