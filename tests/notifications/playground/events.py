from notifications.event_types import event_type


@event_type("playground.happened", aggregate="thing", example={"key": "k"})
class Happened:
    """A topic of this key is to be written."""

    key: str


@event_type("playground.counted", aggregate="organization", version=2, example={"number": 1, "amount": 1.5})
class Counted:
    """Something of an organization was counted."""

    number: int
    amount: float = 0


@event_type("thing.happened", aggregate="thing", example={"n": 1})
class ThingHappened:
    """Something happened for the nth time."""

    n: int | str = 1
