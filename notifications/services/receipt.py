"""A call of a source: believed or not, before anything of it is read."""

import logging
import time
from math import ceil

from django.conf import settings

from accounts.services.leases import Policy, requests_spend
from core.errors import NotAuthenticated, TooMany
from core.tenancy import Origin, organization_scope
from notifications.queries.inbound import SourceFound
from notifications.services.inbound import Kept, inbound_webhook_keep, inbound_webhook_reject
from notifications.services.inbound_sources import inbound_keys
from notifications.verifying import Message, fault_of

logger = logging.getLogger("notifications.inbound")


def inbound_webhook_receive(*, source: SourceFound, message: Message, origin: Origin) -> Kept:
    """Committed when it returns. Raises NotAuthenticated, which does not say why, and TooMany."""
    keys = inbound_keys(source_id=source.id, scheme=source.scheme, sealed=source.secrets)
    fault = fault_of(source.recipe, message, keys=keys, tolerance=source.tolerance, now=time.time())
    origin = Origin(request_id=origin.request_id, traceparent=origin.traceparent, reason=f"webhook of {source.key}")
    if fault:
        logger.warning("Inbound source %s, request %s: %s", source.id, origin.request_id, fault)
        with organization_scope(source.organization_id, origin=origin):
            inbound_webhook_reject(source=source, fault=fault)
        raise NotAuthenticated("The signature is not valid.", code="signature_invalid")
    _spend(source)  # now: who cannot sign uses up nothing of it
    with organization_scope(source.organization_id, origin=origin):
        return inbound_webhook_keep(source=source, message=message)


def _spend(source: SourceFound) -> None:
    policy = Policy("source", str(source.id), settings.INBOUND_LIMITS["source"])
    spent = requests_spend(policies=[policy], seconds=settings.RATE_WINDOW)
    if not spent.is_allowed:
        [standing] = spent.standings
        wait = max(1, ceil(standing.seconds))
        detail = f"This source has used the {standing.quota} webhooks of {settings.RATE_WINDOW} s: wait {wait} s."
        raise TooMany(detail, wait=wait, code="rate_limited")
