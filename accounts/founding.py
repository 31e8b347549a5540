from accounts.services.retention import policies_ensure


def furnish() -> None:
    """Each class of data with the days that it is kept by default."""
    policies_ensure()
