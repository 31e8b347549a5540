"""AWS Lambda: every address and secret from the environment, HTTPS only."""

from config.settings import base
from config.settings.base import *

if not base.env("SECRET_KEY_SECRET", default=""):
    SECRET_KEY = base.SECRET_KEY = base.env("SECRET_KEY")
# verify-full where PGSSLROOTCERT names the authorities; disable on loopback alone.
DATABASE_SSLMODE = base.env("DATABASE_SSLMODE", default="require")
DATABASES = base.role_databases({}, passwords=False)
if base.env("DATABASE_URL", default=""):  # the migrating function, which makes the roles
    ADMIN_DATABASE = base.env.db_url("DATABASE_URL")
    ADMIN_DATABASE["OPTIONS"] = {**ADMIN_DATABASE.get("OPTIONS", {}), "sslmode": DATABASE_SSLMODE}
if not base.env("OWNER_DATABASE_URL", default=""):
    del DATABASES["owner"]  # only the migrating stage holds its password
for _database in DATABASES.values():
    _database["DISABLE_SERVER_SIDE_CURSORS"] = True  # behind RDS Proxy
    _database["CONN_MAX_AGE"] = 1500  # the proxy ends what is idle for 30 minutes
    _options = {name: value for name, value in _database.get("OPTIONS", {}).items() if name != "options"}  # refused by the proxy
    _database["OPTIONS"] = {**_options, "prepare_threshold": None, "sslmode": DATABASE_SSLMODE}

LOG_FORMAT = base.log_format("json")
LOGGING = base.logging(LOG_FORMAT)
METRICS = base.metrics("emf")
PLATFORM_STAFF_NEEDS_SECOND_FACTOR = base.env.bool("PLATFORM_STAFF_NEEDS_SECOND_FACTOR", default=True)
SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = ["^metrics$"]  # asked from the machine itself, past the proxy
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
STORAGES = {
    **base.STORAGES,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
if "://" in base.STATIC_URL:  # pages name files by the manifest, and somebody else serves them
    MIDDLEWARE = [name for name in base.MIDDLEWARE if not name.startswith("whitenoise.")]
API_DESCRIPTION = base.BASE_DIR / "docs" / "openapi.json"  # what the tests hold to be the same
