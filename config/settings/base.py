"""What holds everywhere. Everything secret or local comes from the environment."""

import hmac
from hashlib import sha256
from pathlib import Path
from typing import Any

import environ

from config.settings.unfold import UNFOLD  # noqa: F401

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent.parent
DATA_DIR = BASE_DIR / ".data"

SECRET_KEY = env("SECRET_KEY", default="")
DEBUG = False
DEMO_ALLOWED = False
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
USE_I18N = True
FORMAT_MODULE_PATH = None

INSTALLED_APPS = [
    "config.apps.ConfigConfig",
    "core.apps.CoreConfig",
    "accounts.apps.AccountsConfig",
    "notifications.apps.NotificationsConfig",
    "inventory.apps.InventoryConfig",
    "orders.apps.OrdersConfig",
    "unfold.apps.BasicAppConfig",
    "config.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "allauth.usersessions",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.organization_middleware",
]
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]},
}]

# --- Database: three roles, see docs/operations/database.md -----------------------------------------------
DATABASE_ROLES = {
    role: f"{env('DATABASE_ROLE_PREFIX', default='quartermaster')}_{role}" for role in ("owner", "app", "worker")
}
DATABASE_NAME = "quartermaster"
# The server's administrator, for `setup_database` alone; None where the roles were made by other means.
ADMIN_DATABASE: dict[str, Any] | None = None


def role_password(role: str) -> str:
    """For roles that `setup_database` makes; an address of their own (APP_DATABASE_URL, …) overrides it."""
    return hmac.new(SECRET_KEY.encode(), f"database role {role}".encode(), sha256).hexdigest()


def role_databases(server: dict[str, Any], *, passwords: bool) -> dict[str, dict[str, Any]]:
    """The aliases: default is the app's, for requests and jobs; worker crosses organizations; owner migrates."""
    aliases = {"default": "app", "worker": "worker", "owner": "owner"}
    found = {}
    for alias, role in aliases.items():
        url = f"{role.upper()}_DATABASE_URL"
        own = env.db_url(url) if env(url, default="") else {}
        found[alias] = {
            **server, "USER": DATABASE_ROLES[role], "PASSWORD": role_password(role) if passwords else "", **own,
            "ENGINE": "django.db.backends.postgresql", "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True,
        }
    # A migration that waits for a lock makes every request behind it wait as well.
    found["owner"]["OPTIONS"] = {"options": "-c lock_timeout=10s", **found["owner"].get("OPTIONS", {})}
    return found


# Tables that belong to no organization, and what both roles may do there, or the app and the worker each.
EVERYTHING, READ = "DELETE,INSERT,SELECT,UPDATE", "SELECT"
SHARED_TABLES: dict[str, str | tuple[str, str]] = {
    "account_emailaddress": EVERYTHING,
    "account_emailconfirmation": EVERYTHING,
    "accounts_user": "INSERT,SELECT,UPDATE",
    "auth_group": READ,
    "auth_group_permissions": READ,
    "auth_permission": READ,
    "django_admin_log": READ,
    "django_content_type": READ,
    "django_migrations": READ,
    "django_session": EVERYTHING,
    "notifications_schedule": (READ, EVERYTHING),
    "notifications_schedulerun": (READ, EVERYTHING),
    "usersessions_usersession": EVERYTHING,
}

# --- Signing in -------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
# argon2id at 19 MiB and two passes, the lowest that OWASP recommends: the library's 100 MiB would take a fifth
# of a 512 MB function for each sign-in under way.
PASSWORD_HASHERS = ["accounts.hashers.Argon2", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
SESSION_COOKIE_HTTPONLY = True
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
HEADLESS_TOKEN_STRATEGY = "accounts.tokens.TokenStrategy"  # noqa: S105  # a class
HEADLESS_JWT_ALGORITHM = "HS256"
HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN = env.int("ACCESS_TOKEN_SECONDS", default=3600)
HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN = env.int("REFRESH_TOKEN_SECONDS", default=30 * 24 * 3600)
HEADLESS_JWT_ROTATE_REFRESH_TOKEN = True

# --- The API ----------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.PrincipalAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["core.rendering.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.rendering.Negotiation",
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "core.schema.Schema",
    "EXCEPTION_HANDLER": "core.problems.to_response",
    "COERCE_DECIMAL_TO_STRING": True,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Quartermaster",
    "DESCRIPTION": "The back office of a company that keeps, buys and sells goods.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "DEFAULT_GENERATOR_CLASS": "config.schema.Generator",
    "GET_LIB_DOC_EXCLUDES": "config.schema.undescribed",
    "POSTPROCESSING_HOOKS": [],  # enumerations stay in their fields: as components they would need names of their own
}
CORS_ALLOWED_ORIGINS: list[str] = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_ALLOW_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
CORS_ALLOW_HEADERS = (
    "authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "organization",
    "x-request-id", "x-change-reason",
)
CORS_EXPOSE_HEADERS = ("x-request-id", "location", "etag", "retry-after")
CORS_URLS_REGEX = r"^/api/"

# --- Mail, static files, jobs, logs -----------------------------------------------------------------------
# Without EMAIL_URL (smtp+tls://user:password@host:587) mail is printed.
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
EMAIL_BACKEND = EMAIL_CONFIG["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = EMAIL_CONFIG["EMAIL_HOST"] or "localhost", EMAIL_CONFIG["EMAIL_PORT"] or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = EMAIL_CONFIG["EMAIL_HOST_USER"] or "", EMAIL_CONFIG["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = EMAIL_CONFIG.get("EMAIL_USE_TLS", False), EMAIL_CONFIG.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="quartermaster@localhost")

STATIC_URL = "static/"
STATIC_ROOT: Path | None = BASE_DIR / "staticfiles"
# "private" holds what only this program hands out: copies of seals, exports.
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "private": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": DATA_DIR / "files", "file_permissions_mode": 0o600, "directory_permissions_mode": 0o700,
        },
    },
}
TASKS = {"default": {"BACKEND": "notifications.backend.JobBackend", "QUEUES": ["default", "mail"]}}

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="INFO")},
}

# --- Security ---------------------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
