"""/metrics, for Prometheus: what this machine has counted, and how the whole installation is doing now."""

import hmac
import re
from ipaddress import ip_address

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from notifications.queries.measures import OF_NOW, measures
from notifications.queries.operations import queues

# What a proxy adds: then the connection's address says nothing of who asks.
FORWARDED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via")


def metrics(request: HttpRequest) -> HttpResponse:
    """Nothing is there unless METRICS is "prometheus", and for nobody but this machine or who shows the token."""
    if settings.METRICS != "prometheus" or not (_shows_the_token(request) or _is_of_this_machine(request)):
        raise Http404
    from core.prometheus import CONTENT_TYPE, Gauges, page  # noqa: PLC0415  # brings its library, for servers alone

    minute = timezone.now().replace(second=0, microsecond=0)
    numbers = {name_of(name): {"": float(value)} for name, value in measures(until=minute).items()}
    now = list(queues(using="worker"))
    by_queue = {
        "quartermaster_queue_depth": {queue.name: float(queue.depth) for queue in now},
        "quartermaster_queue_oldest_seconds": {queue.name: round(queue.age, 3) for queue in now},
    }
    return HttpResponse(page(Gauges("", numbers), Gauges("queue", by_queue)), content_type=CONTENT_TYPE)


def name_of(metric: str) -> str:
    """As CloudWatch has it: OrdersPlaced, which is quartermaster_orders_placed_last_minute here."""
    name = "quartermaster" + re.sub(r"([A-Z])", r"_\1", metric).lower()
    return name if metric in OF_NOW else f"{name}_last_minute"


def _shows_the_token(request: HttpRequest) -> bool:
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    token = settings.METRICS_TOKEN
    return bool(token) and scheme == "Bearer" and hmac.compare_digest(shown.encode(), token.encode())


def _is_of_this_machine(request: HttpRequest) -> bool:
    try:
        is_here = ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
    return is_here and not any(name in request.headers for name in FORWARDED)
