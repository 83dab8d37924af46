"""Django's settings, filled from config/environment.py. Every option of Kefu is there, not here."""

import contextlib
import datetime
import os
import secrets
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

import dj_database_url
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured

from config.environment import ROOT, config

_config = config()
VAR = _config.var
VAR.mkdir(parents=True, exist_ok=True)
VAR.chmod(0o700)  # it holds the database, the keys and the logs


def _kept_secret(path: Path) -> str:
    """Return the secret in `path`, made at the first start. Safe when several processes start at once."""
    if not path.exists():
        # mkstemp gives mode 0600; the link appears with its content, so nobody reads half a secret.
        descriptor, new = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            os.link(new, path)
        os.unlink(new)
    return path.read_text().strip()


if _config.production:
    if _config.debug:
        raise ImproperlyConfigured("KEFU_DEBUG: must not be set together with KEFU_PRODUCTION")
    if not _config.secret_key:
        raise ImproperlyConfigured("KEFU_SECRET_KEY: must be set when KEFU_PRODUCTION is")
    if "*" in _config.allowed_hosts:
        raise ImproperlyConfigured("KEFU_ALLOWED_HOSTS: must name the hosts when KEFU_PRODUCTION is set, not '*'")

BASE_DIR = ROOT
SECRET_KEY = _config.secret_key or _kept_secret(VAR / "secret.key")
SECRET_KEY_FALLBACKS = _config.secret_key_fallbacks
DEBUG = _config.debug
ALLOWED_HOSTS = _config.allowed_hosts

INSTALLED_APPS = [
    "console.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "axes",
    "channels",
    "ninja",
    "django_htmx",
    "heroicons",
    "guardrails",
    "knowledge",
    "understanding",
    "attachments",
    "chatbot",
    "console",
    "desk",
    "api",
    "rooms",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "console.gate.StaffGate",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "console.wording.say",
                "rooms.context.frame",
            ],
        },
    }
]

if _config.database_url:
    DATABASES = {"default": dj_database_url.parse(_config.database_url, conn_max_age=60, conn_health_checks=True)}
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(VAR / "kefu.sqlite3"),
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-20000;",
            },
        }
    }

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "console.accounts.StaffBackend"]
LOGIN_URL = LOGOUT_REDIRECT_URL = "staff:login"
LOGIN_REDIRECT_URL = "staff:home"
TWO_FACTOR_REQUIRED = (_config.two_factor or ("required" if _config.production else "optional")) == "required"
OTP_TOTP_ISSUER = "Kefu"
TRUSTED_PROXIES = _config.trusted_proxies

# Wrong passwords: ten a name or fifty an address (console/throttle.py) close the door for a quarter of an hour.
AXES_HANDLER = "console.throttle.Throttle"
AXES_LOCKOUT_PARAMETERS = ["username", "ip_address"]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = datetime.timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = False  # else whoever has an account could wipe out their guesses at another's
AXES_CLIENT_IP_CALLABLE = "console.throttle.address_of"
AXES_USERNAME_CALLABLE = "console.throttle.name_of"
AXES_LOCKOUT_CALLABLE = "console.views.locked_out"
AXES_DISABLE_ACCESS_LOG = True  # the audit log has it
AXES_SENSITIVE_PARAMETERS = ["username", "csrfmiddlewaretoken", "next"]
AXES_VERBOSE = False

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文"), ("zh-hant", "繁體中文")]
TIME_ZONE = "UTC"
USE_TZ = True

# Customers' files lie sealed below this folder; MEDIA_ROOT is never used.
ATTACHMENTS = VAR / "attachments"
# Knowledge managers' files, by their hashes.
DOCUMENTS = VAR / "documents"
# No upload of a customer touches a disk unsealed; how much may come, chatbot/bodies.py says.
FILE_UPLOAD_MAX_MEMORY_SIZE = 256 * 2**20

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
SMALL_STATIC = VAR / "static-small"  # the widget as it travels (chatbot/minifying.py): looked for first
SMALL_STATIC.mkdir(exist_ok=True)
STATICFILES_DIRS = [SMALL_STATIC]
WHITENOISE_USE_FINDERS = True  # the files are served as they lie: nothing to collect
WHITENOISE_MAX_AGE = 300

SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _config.production
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_HSTS_SECONDS = 31_536_000 if _config.production else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _config.production else None

_mail = urlsplit(_config.email_url.get_secret_value() if _config.email_url else "")
MAIL_FROM = _config.email_from if _mail.hostname else ""
EMAIL_HOST, EMAIL_PORT = _mail.hostname or "", _mail.port or (465 if _mail.scheme == "smtps" else 587)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
EMAIL_USE_SSL, EMAIL_USE_TLS = _mail.scheme == "smtps", _mail.scheme == "smtp+tls"
EMAIL_TIMEOUT = 20

REDIS_URL = _config.redis_url or f"unix://{VAR / 'redis.sock'}"


def _celery_broker(url: str) -> str:
    return "redis+socket://" + urlsplit(url).path if url.startswith("unix:") else url


# Celery: only ids travel; a lost task is found again by the sweeper, so nothing is kept as a result.
CELERY_BROKER_URL = _celery_broker(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "socket_timeout": 30,
    "socket_connect_timeout": 2,
    "retry_on_timeout": True,
    "max_connections": 200,
}
CELERY_TASK_DEFAULT_QUEUE = "desk"
CELERY_TASK_ROUTES = {
    "chatbot.tasks.answer_turn": {"queue": "turns"},
    "chatbot.tasks.sweep": {"queue": "sweep"},
    "console.tasks.assign": {"queue": "sweep"},
    "chatbot.tasks.erase_old": {"queue": "desk"},
}
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "chatbot.tasks.sweep", "schedule": 5.0, "options": {"expires": 5.0}},
    "assign": {"task": "console.tasks.assign", "schedule": 5.0, "options": {"expires": 5.0}},
    "desk": {"task": "desk.tasks.sweep", "schedule": 5.0, "options": {"expires": 5.0}},
    "tidy": {"task": "chatbot.tasks.tidy", "schedule": crontab(minute=10)},
    "tidy documents": {"task": "desk.tasks.tidy", "schedule": crontab(minute=40)},
    "look at knowledge": {"task": "desk.tasks.look", "schedule": crontab(hour=4, minute=10)},
    "erase old": {"task": "chatbot.tasks.erase_old", "schedule": crontab(hour=3, minute=30)},
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "presidio-analyzer": {"level": "ERROR"},
        "faiss": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "uvicorn.access": {"level": "WARNING"},
        "uvicorn.error": {"level": "WARNING"},  # below, it logs addresses with their query strings
        "django.request": {"level": "ERROR"},  # below, it logs paths: somebody may have typed anything there
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "django.security.csrf": {"level": "ERROR"},
        "websockets": {"level": "WARNING"},
        "axes": {"level": "ERROR"},  # below, it logs the names that were tried: some are mistyped passwords
    },
}
