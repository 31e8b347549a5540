"""What holds everywhere. Everything secret or local comes from the environment."""

import hmac
import os
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import environ

from config.settings.logs import *
from config.settings.mail import *
from config.settings.secrets import *
from config.settings.unfold import UNFOLD  # noqa: F401

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent.parent
DATA_DIR = BASE_DIR / ".data"

SECRET_KEY = from_secret("SECRET_KEY", env("SECRET_KEY", default=""))
# Former ones, to open what they sealed.
SECRET_KEY_FALLBACKS: list[str] = from_secret("SECRET_KEY_FALLBACKS", env.list("SECRET_KEY_FALLBACKS", default=[]))
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
FORMAT_MODULE_PATH = "config.formats"

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
    "config.apps.SecondFactorsConfig",
    "allauth.usersessions",
    "axes",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
]
MIDDLEWARE = [
    "core.access_log.access_log_middleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "core.compression.compression_middleware",
    "core.asked_names.names_middleware",
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
    """The aliases: default is the app's, for requests and jobs; worker crosses organizations; owner migrates.

    With READER_DATABASE_URL there is also reader, another server that the app reads reports from (core/reader.py).
    """
    aliases = {"default": "app", "worker": "worker", "owner": "owner"}
    found = {}
    for alias, role in aliases.items():
        url = f"{role.upper()}_DATABASE_URL"
        own = env.db_url(url) if env(url, default="") else {}
        found[alias] = {
            **server, "USER": DATABASE_ROLES[role], "PASSWORD": role_password(role) if passwords else "", **own,
            **login_of(role), "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True,
        }
    if env("READER_DATABASE_URL", default=""):
        where = env.db_url("READER_DATABASE_URL")
        found["reader"] = found["default"] | {name: where[name] for name in ("HOST", "PORT", "NAME") if where[name]}
    # A migration that waits for a lock makes every request behind it wait as well.
    found["owner"]["OPTIONS"] = {"options": "-c lock_timeout=10s", **found["owner"].get("OPTIONS", {})}
    return found


# Tables that belong to no organization, and what both roles may do there, or the app and the worker each.
EVERYTHING, READ = "DELETE,INSERT,SELECT,UPDATE", "SELECT"
SHARED_TABLES: dict[str, str | tuple[str, str]] = {
    "account_emailaddress": EVERYTHING,
    "account_emailconfirmation": EVERYTHING,
    "accounts_ratewindow": ("", "DELETE,SELECT"),  # written by accounts_rate_lease() alone
    "accounts_user": "INSERT,SELECT,UPDATE",
    "auth_group": READ,
    "auth_group_permissions": READ,
    "auth_permission": READ,
    # Failed sign-ins, counted before anybody is known to belong anywhere; of the log's tables nothing is used.
    "axes_accessattempt": EVERYTHING,
    "axes_accessattemptexpiration": "DELETE,SELECT",
    "axes_accessfailurelog": READ,
    "axes_accesslog": READ,
    "django_admin_log": READ,
    "django_content_type": READ,
    "django_migrations": READ,
    "django_session": EVERYTHING,
    # A person's second factors, whatever the organization; secrets in it are encrypted.
    "mfa_authenticator": EVERYTHING,
    "notifications_schedule": (READ, EVERYTHING),
    "notifications_schedulerun": (READ, EVERYTHING),
    "notifications_workerseen": (READ, EVERYTHING),
    "usersessions_usersession": EVERYTHING,
}

# --- Signing in -------------------------------------------------------------------------------------------
# The first refuses who is locked out, before any password is looked at.
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "accounts.backends.PasswordBackend"]
# argon2id at 19 MiB and two passes, the lowest that OWASP recommends: the library's 100 MiB would take a fifth
# of a 512 MB function for each sign-in under way.
PASSWORD_HASHERS = ["accounts.hashers.Argon2", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "accounts.validators.LetterAndDigitValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600
ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS = 3
INVITATION_DAYS = 7
# Whether anybody may make an account and an organization; otherwise by invitation, and by `create_organization`.
SIGN_UP_OPEN = env.bool("SIGN_UP_OPEN", default=False)
# Whether who signs up is believed to own the address; otherwise a mailed link proves it.
AUTO_VERIFY_EMAIL = env.bool("AUTO_VERIFY_EMAIL", default=False)
# Where mailed links lead: to the pages of a front end (FRONTEND_URL/verify-email?key=…), or to our own.
FRONTEND_URL = env("FRONTEND_URL", default="")
PUBLIC_URL = env("PUBLIC_URL", default=f"https://{ALLOWED_HOSTS[0]}" if ALLOWED_HOSTS else "http://127.0.0.1:8000")
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
SESSION_COOKIE_HTTPONLY = True
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
IDENTITY_PROVIDERS_BY_HTTP = False  # https alone: who changes the keys on their way signs anybody in
HEADLESS_TOKEN_STRATEGY = "accounts.tokens.TokenStrategy"  # noqa: S105  # a class
HEADLESS_JWT_ALGORITHM = "HS256"
HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN = env.int("ACCESS_TOKEN_SECONDS", default=3600)
HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN = env.int("REFRESH_TOKEN_SECONDS", default=30 * 24 * 3600)
HEADLESS_JWT_ROTATE_REFRESH_TOKEN = True

# --- What core asks of the layers above it -----------------------------------------------------------------
CUSTOM_FIELD_DEFINITIONS = "accounts.queries.customizing.definitions"
SAVED_FILTERS = "accounts.queries.customizing.saved_filter"
# And inventory: moves of these documents are not reversed by themselves, because the document would not know of it.
UNDONE_BY_THEIR_DOCUMENT = {"goods_receipt": "Send the goods back: POST /api/v1/purchase-orders/{id}/send-back/."}

# --- Second factors, lock-outs, acting for a member -------------------------------------------------------
MFA_ADAPTER = "accounts.encryption.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Quartermaster"
MFA_TOTP_TOLERANCE = 1  # periods of 30 seconds before and after: clocks differ
MFA_ENCRYPTION_KEY = from_secret("MFA_ENCRYPTION_KEY", env("MFA_ENCRYPTION_KEY", default=""))  # empty: derived from SECRET_KEY
PLATFORM_STAFF_NEEDS_SECOND_FACTOR = env.bool("PLATFORM_STAFF_NEEDS_SECOND_FACTOR", default=False)
SECOND_FACTORS_PAGE = "admin:second_factors"
# What a member who still has to enrol may open, and what nobody opens who acts for somebody else.
OPEN_WITHOUT_SECOND_FACTOR = {
    "second-factors", "second-factor", "totp-begin", "totp-activate", "recovery-codes", "webauthn-begin", "webauthn-complete",
    "sign-out", "token", "token-refresh", "token-second-factor", "schema", "docs", "admin:login", "admin:logout",
    "admin:second_factor", "admin:second_factors", "admin:switch_organization", "admin:jsi18n",
}
CLOSED_WHILE_IMPERSONATING = {
    "second-factors", "second-factor", "totp-begin", "totp-activate", "recovery-codes", "webauthn-begin", "webauthn-complete",
    "admin:second_factors", "admin:password_change", "admin:switch_organization",
    "own-sessions", "own-session", "password-change", "email-change", "own-avatar",
}
# A person's own account is not the business of an identity provider, which speaks for one organization.
CLOSED_TO_PROVIDERS = {
    "second-factors", "second-factor", "totp-begin", "totp-activate", "recovery-codes", "webauthn-begin", "webauthn-complete",
    "own-sessions", "own-session", "password-change", "email-change", "own-avatar", "sign-out",
}
IMPERSONATION_SECONDS = env.int("IMPERSONATION_SECONDS", default=30 * 60)
# Served outside any organization, whoever asks: ways in, which may lead into another organization than the one that
# credentials name, and whose notes (a refresh token used twice) must stay although they refuse; and platform staff's pages.
OUTSIDE_ORGANIZATIONS = (
    "/api/v1/auth/token/", "/api/v1/auth/sign-up/", "/api/v1/auth/verify-email/", "/api/v1/auth/password/reset/",
    "/api/v1/auth/invitation/", "/account/", "/admin/platform/", "/signup", "/signin", "/api/v1/inbound/",
    "/subscriptions/", "/api/v1/public/",
)
# What visitors browse: inside the wall, in a scope that the view opens.
PUBLIC = "/api/v1/public/"
# Webhooks that come in: what they say of who they are is not said to us, and proved by their signature.
INBOUND = "/api/v1/inbound/"
CREDENTIALS_OF_THEIR_OWN = (INBOUND, "/metrics")
# Links that subscribers confirm and leave by, who need no account; a mail provider may follow them for many people.
MAILED_LINKS = "/subscriptions/"

AXES_HANDLER = "accounts.services.attempts.LockOutHandler"
AXES_FAILURE_LIMIT = 5  # for an account
LOCK_OUT_ADDRESS_FAILURES = 50
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = ["username", "ip_address"]
AXES_CLIENT_IP_CALLABLE = "accounts.services.attempts.address_of"
AXES_USERNAME_CALLABLE = "accounts.services.attempts.account_of"
AXES_USERNAME_FORM_FIELD = "username"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "code", "credential", "csrfmiddlewaretoken"]
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
# axes.middleware would put its own page in the place of our answers.
SILENCED_SYSTEM_CHECKS = ["axes.W002"]

# --- The API ----------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.PrincipalAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["core.rendering.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.rendering.Negotiation",
    "DEFAULT_PARSER_CLASSES": ["core.parsing.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "core.schema.Schema",
    "EXCEPTION_HANDLER": "core.problems.to_response",
    "COERCE_DECIMAL_TO_STRING": True,
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_METADATA_CLASS": None,  # what a resource takes is said by the OpenAPI description
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
API_DESCRIPTION: Path | None = None  # a file that has it; without one it is made when somebody asks
# A list of origins, or * for every one of them; cookies are never allowed along.
CORS_ORIGINS: list[str] = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_ALLOW_ALL_ORIGINS = "*" in CORS_ORIGINS
CORS_ALLOWED_ORIGINS = [origin for origin in CORS_ORIGINS if origin != "*"]
# Requests of a minute. A key and an organization may have a number of their own; an address is of people who sign in.
RATE_WINDOW = 60
RATE_LIMITS = {"user": 600, "key": 600, "organization": 6000, "address": 30}
# Of webhooks that come in and of mailed links: what an address may try, and what a source may send that is genuine.
INBOUND_LIMITS = {"sender": 600, "source": 3000}
PUBLIC_LIMIT = 120  # of an address that browses what organizations publish
CORS_ALLOW_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
CORS_ALLOW_HEADERS = (
    "authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "organization",
    "x-request-id", "traceparent", "x-change-reason", "x-signature", "prefer",
)
CORS_EXPOSE_HEADERS = (
    "x-request-id", "location", "etag", "last-modified", "retry-after", "ratelimit", "ratelimit-policy", "idempotent-replayed",
    "content-disposition",
)
# The API, and the paths of older clients (config/compat.py). Whatever fails there is answered as JSON.
CORS_URLS_REGEX = r"^/(api/|(signup|signin|users|parts|stock|reorder|analytics|orders|orderpacked|orderdelivered|items)(/|$))"

# --- Labels ----------------------------------------------------------------------------------------------
# A TrueType font for scripts other than the Western European ones; empty: the font that every PDF reader has.
LABEL_FONT = env("LABEL_FONT", default="")

# --- Files: private, in a folder or in a bucket, see docs/operations/files.md -----------------------------
FILES_MAX_BYTES = env.int("FILES_MAX_BYTES", default=25 * 1024 * 1024)
FILES_BUCKET = env("FILES_BUCKET", default="")
FILES_KMS_KEY = env("FILES_KMS_KEY", default="")
FILE_UPLOAD_HANDLERS = [
    "core.uploads.BoundedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]


def bucket_storage(bucket: str, kms_key: str) -> dict[str, Any]:
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {"ServerSideEncryption": "AES256"}
    return {"BACKEND": "core.files_s3.S3Files", "OPTIONS": {
        "bucket_name": bucket, "object_parameters": encryption, "default_acl": None, "signature_version": "s3v4",
        "max_memory_size": 2_621_440,  # of a file that is read; the rest waits on disk
        "endpoint_url": env("FILES_ENDPOINT_URL", default="") or None,
        "region_name": env("FILES_REGION", default=env("AWS_REGION", default="")) or None,
        "addressing_style": "path" if env("FILES_ENDPOINT_URL", default="") else "virtual",
        # The credentials are those of boto3's own chain, looked up anew when they expire.
        "access_key": None, "secret_key": None, "security_token": None,
    }}


def folder_storage(folder: Path) -> dict[str, Any]:
    return {"BACKEND": "core.files_local.LocalFiles", "OPTIONS": {
        "location": folder, "base_url": None, "file_permissions_mode": 0o600, "directory_permissions_mode": 0o700,
    }}


STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "private": bucket_storage(FILES_BUCKET, FILES_KMS_KEY) if FILES_BUCKET else folder_storage(DATA_DIR / "files"),
}

STATIC_URL = env("STATIC_URL", default="static/")  # elsewhere: https://static.example.com/
STATIC_ROOT: Path | None = Path(env("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))

# --- Events, see docs/guide/event-delivery.md --------------------------------------------------------------
# Seconds after the first, the second ... failed attempt at a delivery: eight attempts within a day.
DELIVERY_RETRY_SECONDS = [15, 120, 900, 3600, 10800, 28800, 43200]
DELIVERY_SENDERS = {
    "webhook": "notifications.webhooks.deliver_webhook",
    "topic": "notifications.targets.tell_topic",
    "task": "notifications.targets.run_task",
}
DELIVERY_THREADS = env.int("DELIVERY_THREADS", default=8)
DELIVERY_LEASE_SECONDS = env.int("DELIVERY_LEASE_SECONDS", default=60)  # without a sign of life: then others deliver it
# How many clients of the feed may wait in one process (each takes one of its threads), and how long at most. A function is paid
# for by time, and what it answers arrives whole: none waits there.
FOLLOWERS = env.int("FOLLOWERS", default=0 if "AWS_LAMBDA_FUNCTION_NAME" in os.environ else 2)
FOLLOWING_SECONDS = env.int("FOLLOWING_SECONDS", default=25)
# The EventBridge bus that is told every event as well; none without a name.
EVENT_BUS_NAME = env("EVENT_BUS_NAME", default="")
EVENT_BUS_ENDPOINT_URL = env("EVENT_BUS_ENDPOINT_URL", default="")
EVENT_BUS_REGION = env("EVENT_BUS_REGION", default=env("AWS_REGION", default=""))
# For how many days the events of each day are kept as a file, beside the private files; 0: no such files.
EVENT_ARCHIVE_DAYS = env.int("EVENT_ARCHIVE_DAYS", default=0)

# --- Jobs -------------------------------------------------------------------------------------------------
# `limit`: how many of the queue run at once, over all workers together.
JOB_QUEUES: dict[str, dict[str, int]] = {
    "default": {}, "mail": {"limit": 4}, "search": {"limit": 2}, "scheduler": {}, "watch": {"limit": 2},
}
JOB_LEASE = 30  # seconds after the last sign of a worker in which nobody else takes its job
TASKS = {"default": {"BACKEND": "notifications.backend.JobBackend", "QUEUES": list(JOB_QUEUES)}}
# On AWS the SQS queue that jobs are announced on; without one, workers listen to the database.
JOBS_QUEUE_URL = env("JOBS_QUEUE_URL", default="")
JOBS_QUEUE_ENDPOINT_URL = env("JOBS_QUEUE_ENDPOINT_URL", default="")
JOBS_DOORBELL = "notifications.doorbell.jobs_ring"

# --- Webhooks, see docs/guide/webhooks.md; networks and circuit count for external sources as well --------
WEBHOOKS_BY_HTTP = False  # on loopback; elsewhere never
# Private networks that endpoints may stand in all the same, like 10.1.2.0/24, and the ports of all others.
WEBHOOK_ALLOWED_NETWORKS: list[str] = env.list("WEBHOOK_ALLOWED_NETWORKS", default=[])
WEBHOOK_PORTS: list[int] = env.list("WEBHOOK_PORTS", cast=int, default=[443, 8443])
WEBHOOK_CA_FILE = env("WEBHOOK_CA_FILE", default="")  # of one's own certificates, in the place of the system's
WEBHOOK_SECONDS = env.float("WEBHOOK_SECONDS", default=15)  # for all of an answer
WEBHOOK_LONGEST_WAIT = env.int("WEBHOOK_LONGEST_WAIT", default=6 * 3600)  # seconds, whatever Retry-After says
WEBHOOK_CIRCUIT_FAILURES = env.int("WEBHOOK_CIRCUIT_FAILURES", default=10)  # in a row, until nothing is tried for a while:
WEBHOOK_CIRCUIT_SECONDS = env.int("WEBHOOK_CIRCUIT_SECONDS", default=60)  # doubled with each probe that fails, up to an hour
WEBHOOK_DISABLE_AFTER_DAYS = env.float("WEBHOOK_DISABLE_AFTER_DAYS", default=5)

STRIPE_API = env("STRIPE_API", default="https://api.stripe.com")  # or a stand-in for tests

# --- Security ---------------------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
