from bare_views import PersonViewSet
from django.contrib import admin
from django.urls import include, path
from rest_framework.routers import SimpleRouter

router = SimpleRouter()
router.register("people", PersonViewSet, basename="people")
urlpatterns = [path("admin/", admin.site.urls), path("api/", include(router.urls))]
