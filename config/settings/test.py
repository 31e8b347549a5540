"""Tests: as on a laptop, with a fast password hasher and mail kept in memory."""

from config.settings.local import *

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
WHITENOISE_AUTOREFRESH = True  # each test client would look through all static files at its first request
STORAGES["private"]["OPTIONS"]["location"] = DATA_DIR / "test-files"
