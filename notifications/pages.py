"""Pages for the links in mails to subscribers, who need no account. Looking changes nothing: mail scanners follow links.

The signed address is the credential and no cookie is looked at, so there is nothing that another site could forge; and a
mail program that unsubscribes by one click (RFC 8058) has no token of ours to send.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from core.errors import DomainError
from notifications.services.topic_subscriptions import link_confirm, link_find, link_leave


def page(view: Any) -> Any:
    return never_cache(csrf_exempt(require_http_methods(["GET", "HEAD", "POST"])(view)))


def confirm(request: Any, token: str) -> HttpResponse:
    return _answer(request, token, to_leave=False)


def leave(request: Any, token: str) -> HttpResponse:
    return _answer(request, token, to_leave=True)


def _answer(request: Any, token: str, *, to_leave: bool) -> HttpResponse:
    """The question, and once the button was pressed what came of it."""
    shown: dict[str, Any] = {"title": "Stop these messages?" if to_leave else "Get these messages?"}
    try:
        subscription = link_find(token=token, to_leave=to_leave)
        shown |= {"subscription": subscription, "button": "Stop" if to_leave else "Confirm"}
        if request.method == "POST":
            (link_leave if to_leave else link_confirm)(token=token, origin=request.origin)
            shown["done"] = (
                f"{subscription.address} gets no more messages of {subscription.topic.name}." if to_leave
                else f"{subscription.address} gets the messages of {subscription.topic.name} from now on."
            )
    except DomainError as error:
        return _page(request, {**shown, "refused": error.detail}, status=400)
    return _page(request, shown)


def _page(request: HttpRequest, shown: dict[str, Any], status: int = 200) -> HttpResponse:
    return TemplateResponse(request, "subscription_pages/page.html", shown, status=status)


urlpatterns = [
    path("confirm/<str:token>/", page(confirm), name="subscription-confirm"),
    path("leave/<str:token>/", page(leave), name="subscription-leave"),
]
