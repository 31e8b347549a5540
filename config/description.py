from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerView

from config.schema import Generator


@cache
def description() -> bytes:
    """As JSON. It is the same for everybody and takes seconds to make: once in a process, or before it was packed."""
    if settings.API_DESCRIPTION:
        return Path(settings.API_DESCRIPTION).read_bytes()
    schema = Generator().get_schema(public=True)  # type: ignore[no-untyped-call]  # drf_spectacular
    rendered: bytes = OpenApiJsonRenderer().render(schema, renderer_context={})
    return rendered


class DescriptionView(SpectacularJSONAPIView):
    def _get_schema_response(self, request: Any) -> HttpResponse:
        return HttpResponse(description(), content_type=OpenApiJsonRenderer.media_type)


class PageView(SpectacularSwaggerView):
    url_name = "schema"
