"""All settings of the project, read from the environment; each own setting is STUDIO_* and has a safe default."""

import json
import re
import sys
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import quote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured


class _Env(environ.Env):
    def get_value(self, var, *args, **kwargs):
        try:
            return super().get_value(var, *args, **kwargs)
        except ValueError as error:
            raise ImproperlyConfigured(f"{var} cannot be read: {error}") from error


env = _Env()
BASE_DIR = Path(__file__).resolve().parent.parent

# --- data folder -------------------------------------------------------------------------------
STUDIO_DATA = Path(env.str("STUDIO_DATA", default=str(BASE_DIR / ".studio"))).resolve()
STUDIO_STORAGE_URL = env.str("STUDIO_STORAGE_URL", default=f"file://{STUDIO_DATA / 'storage'}")
STUDIO_WORK_DIR = STUDIO_DATA / "work"
STUDIO_ENVS_DIR = STUDIO_DATA / "envs"

# --- who may call, and under which name ----------------------------------------------------------
_started = STUDIO_DATA / "addresses.json"  # how `up` was last started; other commands read it
_addresses = json.loads(_started.read_text()) if _started.is_file() else {}
STUDIO_HOST = env.str("STUDIO_HOST", default=_addresses.get("host", "127.0.0.1"))
STUDIO_PORT = env.int("STUDIO_PORT", default=_addresses.get("port", 8000))
STUDIO_TLS_PORT = env.int("STUDIO_TLS_PORT", default=_addresses.get("tls_port", 8443))
STUDIO_PUBLIC_URL = env.str("STUDIO_PUBLIC_URL", default="").rstrip("/")
# The base of addresses where there is no request: in steps, and in links to pages.
STUDIO_BASE_URL = STUDIO_PUBLIC_URL or (
    f"https://{'127.0.0.1' if STUDIO_HOST in ('0.0.0.0', '::') else STUDIO_HOST}:{STUDIO_TLS_PORT}"  # noqa: S104
)
STUDIO_CA_BUNDLE = STUDIO_DATA / "tls" / "ca-bundle.pem"
ALLOWED_HOSTS = [
    *("127.0.0.1", "localhost", "[::1]", STUDIO_HOST),
    *filter(None, [urlsplit(STUDIO_PUBLIC_URL).hostname]),
    *env.list("STUDIO_ALLOWED_HOSTS", default=[]),
]
try:
    STUDIO_TRUSTED_PROXIES = [
        ip_network(text.strip(), strict=False)
        for text in env.list("STUDIO_TRUSTED_PROXIES", default=["127.0.0.0/8", "::1"])
        if text.strip()
    ]
except ValueError as error:
    raise ImproperlyConfigured(
        f"STUDIO_TRUSTED_PROXIES takes addresses and networks such as 10.0.0.0/8: {error}"
    ) from error
CSRF_TRUSTED_ORIGINS = [STUDIO_PUBLIC_URL] if STUDIO_PUBLIC_URL else []
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if STUDIO_PUBLIC_URL else None

STUDIO_CORS_ORIGINS = [origin.lower() for origin in env.list("STUDIO_CORS_ORIGINS", default=[])]
for _origin in STUDIO_CORS_ORIGINS:
    if not re.fullmatch(r"https?://[^/*?#@]+", _origin):
        raise ImproperlyConfigured(
            f"STUDIO_CORS_ORIGINS: {_origin!r} is no origin such as https://app.example.com"
        )

DEBUG = env.bool("STUDIO_DEBUG", default=False)
_key_file = STUDIO_DATA / "keys" / "secret_key"
SECRET_KEY = env.str("STUDIO_SECRET_KEY", default="") or (
    _key_file.read_text().strip() if _key_file.is_file() else ""
)
if not SECRET_KEY and "pytest" in sys.modules:
    SECRET_KEY = "only-for-tests-" + "k" * 50
if SECRET_KEY and len(SECRET_KEY.encode()) < 32:
    _where = "STUDIO_SECRET_KEY" if env.str("STUDIO_SECRET_KEY", default="") else str(_key_file)
    raise ImproperlyConfigured(
        f"{_where} has {len(SECRET_KEY.encode())} bytes, and below 32 it could be guessed. Make one with:"
        ' python -c "import secrets; print(secrets.token_urlsafe(48))"'
    )
# Before the first `up` there is no key; commands that need none (migrate, help) can still start.
SECRET_KEY_MISSING = not SECRET_KEY
SECRET_KEY = SECRET_KEY or "no-key-yet"

# --- limits --------------------------------------------------------------------------------------
STUDIO_WORKERS = env.int("STUDIO_WORKERS", default=0)  # 0: the machine's cores
STUDIO_SNAPSHOT_MAX_BYTES = env.int("STUDIO_SNAPSHOT_MAX_BYTES", default=300 * 1024 * 1024)
STUDIO_SNAPSHOT_MAX_FILES = env.int("STUDIO_SNAPSHOT_MAX_FILES", default=2000)
STUDIO_ARCHIVE_MAX_RATIO = env.int("STUDIO_ARCHIVE_MAX_RATIO", default=100)
STUDIO_LOG_MAX_BYTES = env.int("STUDIO_LOG_MAX_BYTES", default=1024**3)
STUDIO_DOWNLOAD_MAX_BYTES = env.int("STUDIO_DOWNLOAD_MAX_BYTES", default=2 * 1024**3)
STUDIO_DOWNLOAD_TIMEOUT_SECONDS = env.int("STUDIO_DOWNLOAD_TIMEOUT_SECONDS", default=900)
STUDIO_WEB_ALLOWED_HOSTS = env.list("STUDIO_WEB_ALLOWED_HOSTS", default=[])
STUDIO_WEB_PRIVATE_NETWORKS = env.bool("STUDIO_WEB_PRIVATE_NETWORKS", default=True)
STUDIO_UPLOAD_HOURS = env.int("STUDIO_UPLOAD_HOURS", default=24)
STUDIO_CANCEL_GRACE_SECONDS = env.int("STUDIO_CANCEL_GRACE_SECONDS", default=5)
STUDIO_PUBLIC_CALLS_PER_MINUTE = env.int("STUDIO_PUBLIC_CALLS_PER_MINUTE", default=60)
STUDIO_LOGIN_TRIES_PER_MINUTE = env.int("STUDIO_LOGIN_TRIES_PER_MINUTE", default=10)
STUDIO_REAL_AZUREML = env.bool("STUDIO_REAL_AZUREML", default=False)
STUDIO_METRICS_OPEN = env.bool("STUDIO_METRICS_OPEN", default=False)
DATA_UPLOAD_MAX_MEMORY_SIZE = env.int("STUDIO_MAX_BODY_BYTES", default=32 * 1024 * 1024)

# --- Django --------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "studio",
    "studio.core",
    "endpoints",
    "runs",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "django_htmx",
]
MIDDLEWARE = [
    "studio.core.middleware.correlation",
    "studio.core.middleware.older_addresses",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "studio.core.middleware.content_security_policy",
    "studio.core.middleware.CrossOrigin",
    "studio.core.middleware.cookies_of_https",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "studio.core.middleware.RestInEnglish",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "studio.core.middleware.workspace",
    "studio.core.middleware.Refusals",
]
ROOT_URLCONF = "studio.urls"
WSGI_APPLICATION = "studio.wsgi.application"
AUTH_USER_MODEL = "core.User"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = False  # a redirect loses the body of a POST; wire routes make the slash optional
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["studio.core.ui.templatetags.studio"],
        },
    }
]

# --- database ------------------------------------------------------------------------------------
STUDIO_DATABASE_URL = env.str("STUDIO_DATABASE_URL", default="")
if STUDIO_DATABASE_URL:
    DATABASES = {"default": env.db_url_config(STUDIO_DATABASE_URL)}
else:
    DATABASES = {
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(STUDIO_DATA / "db.sqlite3")}
    }
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE takes the write lock at BEGIN, so that a transaction waits instead of failing
    # half-way; FULL makes a committed run survive a power failure.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;"
        " PRAGMA cache_size=-8000; PRAGMA mmap_size=134217728;"
        # 16 MiB instead of 4: pages that every step writes are copied back a quarter as often.
        " PRAGMA wal_autocheckpoint=4000;",
    }
    DATABASES["default"]["TEST"] = {"NAME": env.str("STUDIO_TEST_DATABASE", default="") or None}
else:
    # An unreachable server does not answer at all; these time-outs let us notice, and try again.
    # Values in the URL override them.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 10,
        "tcp_user_timeout": 20_000,
        **DATABASES["default"].get("OPTIONS", {}),
    }
DATABASES["default"]["CONN_MAX_AGE"] = None
DATABASES["default"]["CONN_HEALTH_CHECKS"] = not DATABASES["default"]["ENGINE"].endswith("sqlite3")

# --- Redis, Celery: the doorbell ------------------------------------------------------------------
STUDIO_REDIS_URL = env.str("STUDIO_REDIS_URL", default="")
if not STUDIO_REDIS_URL:
    _address = STUDIO_DATA / "redis" / "url"  # written by `up` when the private server starts
    STUDIO_REDIS_URL = (
        _address.read_text().strip()
        if _address.is_file()
        else f"redis+socket://{quote(str(STUDIO_DATA / 'redis' / 'redis.sock'))}"
    )

# --- sessions, passwords, headers -----------------------------------------------------------------
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
CSRF_FAILURE_VIEW = "studio.core.views.csrf_failure"
SESSION_COOKIE_NAME = "studio_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# The embedded default is also served over http on loopback; behind a public https address cookies
# are https-only. Cookies of https have their own names (middleware.cookies_of_https).
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = STUDIO_PUBLIC_URL.startswith("https://")
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 31536000 if SESSION_COOKIE_SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SESSION_COOKIE_SECURE
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- language, time, static files -----------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ko", "한국어")]
LOCALE_PATHS = [BASE_DIR / "studio" / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATIC_ROOT = STUDIO_DATA / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if "pytest" in sys.modules or DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = "pytest" in sys.modules or DEBUG

# --- REST ------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["studio.core.rest.authentication.StudioAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["studio.core.rest.parsers.AnyJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "studio.core.rest.schema.WireSchema",
    "EXCEPTION_HANDLER": "studio.core.rest.views.exception_handler",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "studio.core.rest.parsers.AlwaysJSON",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Pipeline Studio",
    "DESCRIPTION": "The Azure ML v1 pipelines wire, served by your own studio.",
    "VERSION": "1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "PREPROCESSING_HOOKS": ["studio.core.rest.schema.tidy"],
    "POSTPROCESSING_HOOKS": [],  # words stay with their field
}

# --- logging: one line per event ------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "studio.core.logs.JSONFormatter"
            if env.bool("STUDIO_LOG_JSON", default=False)
            else "studio.core.logs.LineFormatter"
        }
    },
    "filters": {"as_one_warning": {"()": "studio.core.logs.AsOneWarning"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("STUDIO_LOG_LEVEL", default="INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.security": {"level": "WARNING"},
        "django.security.DisallowedHost": {"filters": ["as_one_warning"]},
    },
}
