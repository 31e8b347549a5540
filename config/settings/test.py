"""Tests: as on a laptop, with a fast password hasher and mail kept in memory."""

from config.settings.local import *

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
WHITENOISE_AUTOREFRESH = True  # each test client would look through all static files at its first request
# One member of one company makes all the requests of a test run. A test of the limits sets its own; its window must not
# end while it counts.
RATE_WINDOW = 365 * 24 * 3600
RATE_LIMITS = dict.fromkeys(("user", "key", "organization", "address"), 1_000_000)
PUBLIC_LIMIT = 1_000_000
INBOUND_LIMITS = dict.fromkeys(("sender", "source"), 1_000_000)
# The members of the two companies sign in once, and a run of all tests may take longer than an hour.
HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN = 24 * 3600
