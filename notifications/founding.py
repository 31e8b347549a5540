from notifications.services.alerts import ops_topic_ensure


def furnish() -> None:
    """The topic of what somebody must look at."""
    ops_topic_ensure()
