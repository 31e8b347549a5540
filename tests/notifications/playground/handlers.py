from notifications.models import Topic
from notifications.receiving import Received, receives
from notifications.registry import Event, handles
from tests.notifications.playground.tasks import write_at_the_end


@handles("playground.happened")
def write_it_down(event: Event) -> None:
    Topic.objects.create(key=event["payload"]["key"], name=event["id"])


@receives("playground")
def take_one_in(event: Received) -> None:
    write_at_the_end.call(event["external_id"], event["payload"]["folder"])
