"""The page of dead letters: deliveries and jobs that nobody will try again unless somebody says so here."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from core.errors import DomainError, Invalid
from notifications.models import EventDelivery, Job
from notifications.queries.dead_letters import dead_letters
from notifications.services.replaying import delivery_discard, delivery_replay, lanes_hold
from notifications.services.steering import job_discard, job_retry

PAGE = 50
LIST = "admin:dead_letters"
REPLAY, DISCARD = "replay", "discard"


class Kind(NamedTuple):
    """What may be done with dead letters of a kind, and how. `payload` is None where it stays as it was."""

    model: type[EventDelivery] | type[Job]
    statuses: tuple[str, ...]
    view: str
    read: str  # the payload
    edit: str  # and who sends one of their own speaks in the company's name
    may: Mapping[str, str]
    replay: Callable[[UUID, Any], object]
    discard: Callable[[UUID, str], object]
    payload: Callable[[Any], Any]


KINDS = {
    "delivery": Kind(
        EventDelivery, (EventDelivery.Status.DEAD,), "notifications.view_eventdelivery",
        "notifications.view_outboxevent", "notifications.change_eventsubscription",
        {REPLAY: "notifications.replay_eventdelivery", DISCARD: "notifications.discard_eventdelivery"},
        lambda id, payload: delivery_replay(delivery_id=id, payload=payload),
        lambda id, reason: delivery_discard(delivery_id=id, reason=reason),
        lambda row: row.event.payload if row.payload is None else row.payload,
    ),
    "job": Kind(
        Job, (Job.Status.DEAD, Job.Status.FAILED), "notifications.view_job",
        "notifications.change_job", "notifications.change_job",
        {REPLAY: "notifications.change_job", DISCARD: "notifications.change_job"},
        lambda id, payload: job_retry(job_id=id, arguments=payload),
        lambda id, reason: job_discard(job_id=id, reason=reason),
        lambda row: row.arguments,
    ),
}


def urls(site: Any) -> list[Any]:
    def page(view: Callable[..., HttpResponse]) -> Any:
        def shown(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            return view(site, request, *args, **kwargs)

        return site.admin_view(require_http_methods(["GET", "POST"])(shown))

    return [
        path("dead-letters/", page(_list), name="dead_letters"),
        path("dead-letters/<str:kind>/<uuid:id>/", page(_one), name="dead_letter"),
    ]


# --- The list ---------------------------------------------------------------------------------------------
def _list(site: Any, request: Any) -> HttpResponse:
    seen = [name for name, kind in KINDS.items() if request.user.has_perm(kind.view)]
    if not seen:
        raise PermissionDenied
    if request.method == "POST":
        return _several(site, request)
    found = dead_letters(seen, before=_id(request.GET.get("before", "")), limit=PAGE + 1)
    rows, more = found[:PAGE], len(found) > PAGE
    return _page(site, request, "dead_letters", {
        "title": "Dead letters", "rows": rows, "older": rows[-1].id if more else None, "is_later": "before" in request.GET,
        "may": {verb: any(request.user.has_perm(kind.may[verb]) for kind in KINDS.values()) for verb in (REPLAY, DISCARD)},
    })


def _several(site: Any, request: Any) -> HttpResponse:
    """Asks first, and does it when that page is posted."""
    verb, chosen = request.POST.get("verb", ""), request.POST.getlist("chosen")[:PAGE]
    if verb not in (REPLAY, DISCARD) or not chosen:
        messages.warning(request, "Choose dead letters, and what is to be done with them.")
        return HttpResponseRedirect(reverse(LIST))
    if "confirmed" not in request.POST:
        return _page(site, request, "dead_letters_confirm", {
            "title": f"{verb.capitalize()} {len(chosen)} dead letters?", "verb": verb, "chosen": chosen,
        })
    done = sum(_done(request, verb, kind, id) for kind, id in _in_order(_parsed(chosen)))
    if done:
        messages.success(request, f"{done} {'replayed' if verb == REPLAY else 'discarded'}.")
    return HttpResponseRedirect(reverse(LIST))


def _parsed(chosen: Sequence[str]) -> list[tuple[str, UUID]]:
    found = [(kind, _id(id)) for kind, _, id in (one.partition(":") for one in chosen)]
    return [(kind, id) for kind, id in found if kind in KINDS and id]


def _in_order(chosen: Sequence[tuple[str, UUID]]) -> list[tuple[str, UUID]]:
    """As they happened, whatever the order of the page; the lanes of all are held before the first is touched."""
    deliveries = {id for kind, id in chosen if kind == "delivery"}
    held = lanes_hold(delivery_ids=deliveries)
    gone, rest = deliveries.difference(held), {one for one in chosen if one[0] != "delivery"}
    return [("delivery", id) for id in [*held, *gone]] + sorted(rest)


# --- One of them ------------------------------------------------------------------------------------------
def _one(site: Any, request: Any, kind: str, id: UUID) -> HttpResponse:
    if kind not in KINDS:
        raise Http404
    known = KINDS[kind]
    if not request.user.has_perm(known.view):
        raise PermissionDenied
    row: Any = known.model.objects.filter(pk=id, status__in=known.statuses).first()
    if row is None:
        raise Http404
    shown, problem = known.payload(row) if request.user.has_perm(known.read) else None, ""
    if request.method == "POST":
        changed, problem = _changed(request.POST.get("payload", ""), shown)
        if not problem and _done(request, request.POST.get("verb", ""), kind, id, changed):
            messages.success(request, "Done.")
        if not problem:
            return HttpResponseRedirect(reverse(LIST))
    return _page(site, request, "dead_letter", {
        "title": _title(row), "row": row, "kind": kind, "problem": problem,
        "error": row.error if isinstance(row, Job) else row.last_error,
        "may_read": request.user.has_perm(known.read), "may_edit": request.user.has_perm(known.edit),
        "payload": request.POST.get("payload") or orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode(),
        "may": {verb: request.user.has_perm(permission) for verb, permission in known.may.items()},
    })


def _title(row: Any) -> str:
    return str(row) if isinstance(row, Job) else f"{row.event.type} to {row.subscription}"


def _changed(text: str, shown: Any) -> tuple[Any, str]:
    """What somebody made of the payload, None if they left it; or what is wrong with it."""
    if "\\u0000" in text:
        return None, "A NUL character cannot be stored."
    if not text.strip():
        return None, ""
    try:
        payload = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return None, f"This is not JSON: {error}."
    if not isinstance(payload, dict):
        return None, "Write an object, in braces."
    return (None if payload == shown else payload), ""


def _done(request: Any, verb: str, kind: str, id: UUID, payload: Any = None) -> bool:
    known = KINDS[kind]
    if verb not in known.may or not request.user.has_perm(known.may[verb]):
        raise PermissionDenied
    if payload is not None and not request.user.has_perm(known.edit):
        raise PermissionDenied
    try:
        if not known.model.objects.filter(pk=id, status__in=known.statuses).exists():
            raise Invalid("This dead letter is gone: somebody was quicker.")
        if verb == REPLAY:
            known.replay(id, payload)
        else:
            known.discard(id, request.POST.get("reason", ""))
    except DomainError as error:
        messages.error(request, error.detail)
        return False
    return True


def _page(site: Any, request: Any, name: str, context: Mapping[str, Any]) -> HttpResponse:
    request.current_app = site.name
    return TemplateResponse(request, f"admin/notifications/{name}.html", {**site.each_context(request), **context})


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
