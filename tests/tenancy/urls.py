"""The product's addresses, and views that misbehave on purpose."""

from collections.abc import Iterator

from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.urls import path
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Party
from config.urls import handler404 as handler404
from config.urls import handler500 as handler500
from config.urls import urlpatterns as product


@api_view(["POST"])
def breaks_midway(request: Request) -> Response:
    Party.objects.create(name="half done")
    raise RuntimeError("in the middle")


@api_view(["POST"])
def breaks_while_rendering(request: Request) -> Response:
    Party.objects.create(name="half done")
    return Response({"cannot": object()})


@api_view(["POST"])
def refuses_after_writing(request: Request) -> Response:
    Party.objects.create(name="half done")
    return Response({}, status=409)


def renders_lazily(request: HttpRequest) -> TemplateResponse:
    template = engines["django"].from_string("{% for party in parties %}{{ party.name }},{% endfor %}")
    return TemplateResponse(request, template, {"parties": Party.objects.order_by("name")})


def streams(request: HttpRequest) -> StreamingHttpResponse:
    def chunks() -> Iterator[str]:
        for party in Party.objects.order_by("name").iterator(chunk_size=1):
            yield f"{party.name},"

    return StreamingHttpResponse(chunks())


def counts_raw(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_party")
        return HttpResponse(cursor.fetchone()[0])


urlpatterns = [
    *product,
    path("breaks-midway/", breaks_midway),
    path("breaks-while-rendering/", breaks_while_rendering),
    path("refuses-after-writing/", refuses_after_writing),
    path("renders-lazily/", renders_lazily),
    path("streams/", streams),
    path("counts-raw/", counts_raw),
]
