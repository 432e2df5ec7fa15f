"""Settings of every run, read from the environment, `.env` and, while `manage.py up` runs, the file that it leaves in VAR_DIR.

A setting that is missing or malformed refuses the start with one line; the README lists them all.
"""

import tomllib
from datetime import UTC, datetime
from logging import getLevelNamesMapping
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.csp import CSP

from amili_dashboard.environment import (
    address,
    amili_url,
    count,
    env,
    header_name,
    host_names,
    listed,
    mailers,
    one_of,
    organizations,
    positive,
    read_file,
    refuse,
    sender,
    setting,
    switch,
    web_address,
)

STARTED_AT = datetime.now(UTC)  # of this process: the others, that should be here, may still be starting

BASE_DIR = Path(__file__).resolve().parent.parent

VERSION: str = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]

read_file(BASE_DIR / ".env")

VAR_DIR = BASE_DIR / setting("VAR_DIR", default="var")
read_file(VAR_DIR / "local.env")

SECRET_KEY = setting("SECRET_KEY")
if len(SECRET_KEY) < 32:
    refuse("SECRET_KEY", "must have at least 32 characters, chosen at random")
SECRET_KEY_FALLBACKS = setting("SECRET_KEY_FALLBACKS", listed, default=[])
if any(len(key) < 32 for key in SECRET_KEY_FALLBACKS):
    refuse("SECRET_KEY_FALLBACKS", "must be former values of SECRET_KEY, separated by commas")
DEBUG = setting("DEBUG", switch, default=False)
ALLOWED_HOSTS = setting("ALLOWED_HOSTS", listed, default=[])
if not (ALLOWED_HOSTS or DEBUG):
    refuse("ALLOWED_HOSTS", "must name the hosts that people use in the address, separated by commas")
CSRF_TRUSTED_ORIGINS = setting("CSRF_TRUSTED_ORIGINS", listed, default=[])
if not all("://" in origin for origin in CSRF_TRUSTED_ORIGINS):
    refuse("CSRF_TRUSTED_ORIGINS", "must be addresses such as https://dashboard.example, separated by commas")

# ---------------------------------------------------------------------------------------------- Amili


AMILI_API_URL = amili_url("AMILI_API_URL", default="https://api.amili.no/collection/v1")
AMILI_AUTH_URL = amili_url("AMILI_AUTH_URL", default="https://auth.amili.no")
AMILI_TOKEN = setting("AMILI_TOKEN", default="")
AMILI_CLIENT_ID = setting("AMILI_CLIENT_ID", default="")
AMILI_CLIENT_SECRET = setting("AMILI_CLIENT_SECRET", default="")
if not AMILI_TOKEN and not (AMILI_CLIENT_ID and AMILI_CLIENT_SECRET):
    refuse("AMILI_CLIENT_ID", "set it and AMILI_CLIENT_SECRET, or AMILI_TOKEN in their place")
AMILI_HOSTS = {urlsplit(url).hostname or "" for url in (AMILI_API_URL, AMILI_AUTH_URL)}  # nothing is sent anywhere else
AMILI_ORGANIZATIONS = organizations(setting("AMILI_ORGANIZATION_IDS", listed, default=[]))
AMILI_CASE_URL = setting("AMILI_CASE_URL", default="")
if AMILI_CASE_URL and not (AMILI_CASE_URL.startswith(("https://", "http://")) and "{case_id}" in AMILI_CASE_URL):
    refuse("AMILI_CASE_URL", "must be a web address that holds {case_id}")

AMILI_REQUESTS_PER_SECOND = setting("AMILI_REQUESTS_PER_SECOND", positive, default=20)
AMILI_MAX_ANSWER_MIB = setting("AMILI_MAX_ANSWER_MIB", positive, default=64)
AMILI_TIME_LIMITS = {"connect": 4.0, "read": 15.0, "whole": 20.0}  # seconds; a task and its LEASE last longer
AMILI_DISCOVERY_DAYS = setting("AMILI_DISCOVERY_DAYS", count, default=30)

# True only while the bundled stand-in for Amili answers: every page says so.
SANDBOX = setting("SANDBOX", switch, default=False)
SANDBOX_URL = setting("SANDBOX_URL", default="")

# ---------------------------------------------------------------------------------------------- webhook

# How Amili signs is not public, so that it can be said here. Without a secret nobody can call.
AMILI_WEBHOOK_SECRETS = setting("AMILI_WEBHOOK_SECRETS", listed, default=[])
if any(len(secret) < 16 for secret in AMILI_WEBHOOK_SECRETS):
    refuse("AMILI_WEBHOOK_SECRETS", "each must have at least 16 characters; they are separated by commas")
AMILI_WEBHOOK_SIGNATURE_HEADER = setting("AMILI_WEBHOOK_SIGNATURE_HEADER", header_name, default="X-Webhook-Signature")
AMILI_WEBHOOK_ALGORITHM = setting("AMILI_WEBHOOK_ALGORITHM", one_of("sha256", "sha512"), default="sha256")
AMILI_WEBHOOK_ENCODING = setting("AMILI_WEBHOOK_ENCODING", one_of("hex", "base64"), default="hex")
AMILI_WEBHOOK_PREFIX = setting("AMILI_WEBHOOK_PREFIX", default="")
AMILI_WEBHOOK_TIMESTAMP_HEADER = setting("AMILI_WEBHOOK_TIMESTAMP_HEADER", header_name, default="")
AMILI_WEBHOOK_TOLERANCE = setting("AMILI_WEBHOOK_TOLERANCE", positive, default=300)

# ---------------------------------------------------------------------------------------------- engines

REDIS_URL = address("REDIS_URL", "redis", "rediss")

DATABASES = {"default": env.db_url_config(address("DATABASE_URL", "postgresql", "postgres"))}
if not DATABASES["default"]["NAME"]:
    refuse("DATABASE_URL", "must end in the name of a database")
_options = DATABASES["default"].setdefault("OPTIONS", {})
# A socket's directory stands in the query, where psycopg would find it but `manage.py dbshell` would not.
DATABASES["default"]["HOST"] = _options.pop("host", DATABASES["default"]["HOST"])
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True  # a restarted database costs nobody an error page
# A server that vanished without a word, as when its power fails, is noticed in some ten seconds, and not after hours.
_options |= {"tcp_user_timeout": 10_000, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
# Of the web processes alone: Celery would throw a worker's pool away after each task. A page gives up on an absent database
# after four seconds. Attempts to connect end as soon: the pause between them doubles, and would be minutes long after a
# long absence.
DATABASE_POOL = {"min_size": 1, "max_size": 16, "timeout": 4, "reconnect_timeout": 4}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    # The rate limits of the sign-in: they bind all processes, and hold while Valkey is away.
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    },
    "sessions": {
        "BACKEND": "staff.sessions.SessionCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "amili",
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
    },
}
# Reads of the session cost no query; the table keeps people signed in when the cache is emptied or away.
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_CACHE_ALIAS = "sessions"
SESSION_COOKIE_AGE = 12 * 3600  # a working day

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # or a worker ends once the broker was away for 45 minutes
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "socket_connect_timeout": 0.5,
    "socket_timeout": 5,
    "max_retries": 1,
    "interval_start": 0,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 38  # time enough to tell why before the end
CELERY_TASK_TIME_LIMIT = 42  # less than the LEASE of batches.pace: a task must not outlive its claim
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000  # KiB; one giant answer must not keep its memory for good
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    name: {"task": f"batches.tasks.{name}", "schedule": seconds, "options": {"expires": 2 * seconds}}
    for name, seconds in {
        "refresh_due_batches": 1.0,
        "discover_due_lists": 5.0,
        "look_for_alerts": 30.0,
        "make_digest": 60.0,
        "send_due_messages": 5.0,
        "forget_old": 3600.0,
    }.items()
}

# ---------------------------------------------------------------------------------------------- web

INSTALLED_APPS = [
    "staff",
    "batches",
    *(["sandbox"] if SANDBOX else []),
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "django_htmx",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "amili_dashboard.middleware.keep_private",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "amili_dashboard.middleware.SignInRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "amili_dashboard.urls"
WSGI_APPLICATION = "amili_dashboard.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "batches.templatetags.batches",
                "batches.templatetags.causes",
                "batches.templatetags.triage",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "amili_dashboard.context.site",
            ],
        },
    }
]

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# ---------------------------------------------------------------------------------------------- people

AUTH_USER_MODEL = "staff.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# How many proxies stand in front, each adding to X-Forwarded-For: the rate limits of the sign-in go by the caller's address.
ALLAUTH_TRUSTED_PROXY_COUNT = setting("TRUSTED_PROXY_COUNT", count, default=0)
ACCOUNT_ADAPTER = "staff.adapter.NoSignUpAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"

# ---------------------------------------------------------------------------------------------- safety

# Behind a proxy that ends TLS and sets X-Forwarded-Proto. `manage.py up` turns it off for a run on one machine.
HTTPS = setting("HTTPS", switch, default=True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health/$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
# No page takes files but one, which brings its own: batches.submission.upload
FILE_UPLOAD_HANDLERS = ["amili_dashboard.uploads.NoFiles"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],  # the kit's stylesheet draws its icons from data: addresses
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}

# ---------------------------------------------------------------------------------------------- alerts

# Where links in mails lead to.
_first_host = next((host for host in ALLOWED_HOSTS if not host.startswith((".", "*"))), "localhost")
SITE_URL = web_address("SITE_URL", default=f"{'https' if HTTPS else 'http'}://{_first_host}")
# Nothing is sent by mail while EMAIL_URL is empty. It holds a password: what is left of it stands where debug pages mask that.
MAILERS = mailers("EMAIL_URL", setting("EMAIL_URL", default=""))
MAIL_IS_ON = bool(MAILERS)
SILENCED_SYSTEM_CHECKS = [] if MAIL_IS_ON else ["mail.W001"]  # it wants a way out for mail that nobody sends
DEFAULT_FROM_EMAIL = setting(
    "ALERT_SENDER", sender, default=f"Amili batch dashboard <dashboard@{urlsplit(SITE_URL).hostname}>"
)
# People choose where their webhooks go, but only among these. Empty: there are none.
ALERT_WEBHOOK_HOSTS = setting("ALERT_WEBHOOK_HOSTS", host_names, default=[])

# ---------------------------------------------------------------------------------------------- language and time

LANGUAGE_CODE = "en"
USE_I18N = True
FORMAT_MODULE_PATH = "amili_dashboard.formats"
TIME_ZONE = setting("TIME_ZONE", default="Europe/Oslo")
try:
    ZoneInfo(TIME_ZONE)
except (ZoneInfoNotFoundError, ValueError):
    refuse("TIME_ZONE", "must be a time zone such as Europe/Oslo")

# ---------------------------------------------------------------------------------------------- logs

LOG_LEVEL = setting("LOG_LEVEL", default="INFO").upper()
if LOG_LEVEL not in getLevelNamesMapping():
    refuse("LOG_LEVEL", "must be DEBUG, INFO, WARNING, ERROR or CRITICAL")

# Ids and outcomes only: no request bodies, no texts from Amili.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "batches": {"level": LOG_LEVEL},
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},  # anybody can make these
    },
}
