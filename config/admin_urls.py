from django.contrib import admin

admin.autodiscover()
urlpatterns = admin.site.urls[0]
