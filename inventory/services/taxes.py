from inventory.models import TaxCategory

CATEGORIES = {
    TaxCategory.STANDARD: ("Standard rate", True),
    "reduced": ("Reduced rate", True),
    "zero": ("Zero-rated", False),
    "exempt": ("Exempt", False),
}


def tax_categories_create() -> None:
    """Those that are missing; existing ones stay as they are. Their rates, by place, people know."""
    TaxCategory.objects.bulk_create([
        TaxCategory(code=code, name=name, is_taxed=is_taxed) for code, (name, is_taxed) in CATEGORIES.items()
    ], ignore_conflicts=True)
