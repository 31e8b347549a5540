from notifications.services.operators import operators_topic


def furnish() -> None:
    """The topic of what operators must hear of."""
    operators_topic()
