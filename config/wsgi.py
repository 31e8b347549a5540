import os

from django.core.wsgi import get_wsgi_application

from core.roles import refuse_wrong_roles

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

application = get_wsgi_application()
refuse_wrong_roles()
