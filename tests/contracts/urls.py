"""The product's addresses, and views that break on purpose."""

from django.db import connection
from django.urls import path
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from config.urls import handler404 as handler404
from config.urls import handler500 as handler500
from config.urls import urlpatterns as product

SECRET = "the password is swordfish"


@api_view(["GET"])
def breaks(request: Request) -> Response:
    raise RuntimeError(SECRET)


@api_view(["GET"])
def breaks_in_the_database(request: Request) -> Response:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT '{SECRET}' FROM no_such_table")
    return Response()


@api_view(["GET"])
def breaks_while_rendering(request: Request) -> Response:
    return Response({SECRET: object()})


urlpatterns = [
    *product,
    path("api/v1/breaks/", breaks),
    path("api/v1/breaks-in-the-database/", breaks_in_the_database),
    path("api/v1/breaks-while-rendering/", breaks_while_rendering),
]
