"""A laptop: an embedded PostgreSQL unless DATABASE_URL names another, and a secret key made once."""

import os
import secrets

from config.settings import base
from config.settings.base import *
from core.embedded import PORT, SUPERUSER, socket_folder


def _secret_key() -> str:
    path = base.DATA_DIR / "secret_key"
    if not path.exists():
        base.DATA_DIR.mkdir(mode=0o700, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(50))
    return path.read_text().strip()


SECRET_KEY = base.SECRET_KEY = base.SECRET_KEY or _secret_key()
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver", *base.ALLOWED_HOSTS]

# Without a server of one's own, the embedded one: `manage.py` starts it.
EMBEDDED_DATABASE = None if base.env("DATABASE_URL", default="") else base.DATA_DIR / "postgres"
if EMBEDDED_DATABASE:
    ADMIN_DATABASE = {
        "HOST": str(socket_folder(EMBEDDED_DATABASE)), "PORT": PORT, "NAME": base.DATABASE_NAME,
        "USER": SUPERUSER, "PASSWORD": "",
    }
    DATABASES = base.role_databases(ADMIN_DATABASE, passwords=False)
else:
    ADMIN_DATABASE = base.env.db_url("DATABASE_URL")
    DATABASES = base.role_databases(ADMIN_DATABASE, passwords=True)

WHITENOISE_USE_FINDERS = True
STATIC_ROOT = None  # nothing is collected: files are served from where they are
DEMO_ALLOWED = True
IDENTITY_PROVIDERS_BY_HTTP = True
WEBHOOKS_BY_HTTP = True
WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8", "::1/128", *base.WEBHOOK_ALLOWED_NETWORKS]
SENDER_ALLOWED_NETWORKS = ["127.0.0.0/8", "::1/128", *base.SENDER_ALLOWED_NETWORKS]
SIGN_UP_OPEN = base.env.bool("SIGN_UP_OPEN", default=True)
