"""Actions of the admin that change something."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

type Action = Callable[..., HttpResponse]


def confirmed(question: str) -> Callable[[Action], Action]:
    """For unfold's actions, which are links: opening one asks, posting it acts. Stands under `@action`."""

    def decorator(action: Action) -> Action:
        @wraps(action)
        def asked(self: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method == "POST":
                return action(self, request, *args, **kwargs)
            context = {**self.admin_site.each_context(request), "title": question, "opts": self.opts, "question": question}
            request.current_app = self.admin_site.name
            return TemplateResponse(request, "admin/confirm_action.html", context)

        return asked

    return decorator
