from notifications.models import Topic
from notifications.registry import Event, handles


@handles("playground.happened")
def write_it_down(event: Event) -> None:
    Topic.objects.create(key=event["payload"]["key"], name=event["id"])
