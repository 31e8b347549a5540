from inventory.services.basics import reasons_create, units_create


def furnish() -> None:
    """The usual units and reason codes; what they keep, and where, people say themselves."""
    units_create()
    reasons_create()
