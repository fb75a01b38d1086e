"""Django settings of a node, from its configuration file (SHEKA_NODE)."""

from __future__ import annotations

from pathlib import Path

from django.utils.translation import gettext_lazy as _

from sheka.equipment.server.node import NodeConfig

NODE = NodeConfig.load()
PACKAGE = Path(__file__).resolve().parents[1]

SECRET_KEY = NODE.django_secret_key
DEBUG = False
DEMO = NODE.demo
WEB_NAME = NODE.web.name or ("localhost" if NODE.web.host == "127.0.0.1" else NODE.web.host)
ALLOWED_HOSTS = [NODE.web.host, WEB_NAME]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "procrastinate.contrib.django",
    "sheka.office.audit",
    "sheka.office.organisations",
    "sheka.office.staff",
    "sheka.office.clients",
    "sheka.office.approvals",
    "sheka.office.messages",
    "sheka.office.documents",
    "sheka.office.jobs",
    "sheka.office.work",
    "sheka.office.operations",
    "sheka.office.incidents",
    "sheka.systems.custody",
    "sheka.systems.keys",
    "sheka.systems.ceremonies",
    "sheka.systems.cards",
    "sheka.systems.issuance",
    "sheka.systems.accounts",
    "sheka.systems.transactions",
    "sheka.systems.psams",
    "sheka.systems.exceptions",
    "sheka.systems.clearing",
    "sheka.faces.console",
]
MIDDLEWARE = [
    "sheka.faces.console.headers.browser_limits",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "sheka.faces.console.middleware.SignedIn",
    "sheka.faces.console.middleware.RefusalsAsPages",
]
ROOT_URLCONF = "sheka.config.urls"
WSGI_APPLICATION = "sheka.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
                "sheka.faces.console.context.console",
            ],
        },
    }
]

# A thread keeps its connection: making one costs more than most pages ask of it. The scope is told when it differs.
KEPT = {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DATABASES = {"default": NODE.django_database() | {"ENGINE": "sheka.office.database"} | KEPT}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "staff.StaffMember"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
OTP_TOTP_SYNC = False  # a code of the next half minute is taken, but moves nobody's clock
LOGIN_URL = "console:sign_in"
WEBAUTHN_RP_ID = WEB_NAME
WEBAUTHN_ORIGINS = [f"http://localhost:{NODE.web.port}" if DEMO else f"https://{WEBAUTHN_RP_ID}"]

# The demo speaks plain HTTP on this machine; elsewhere a proxy on this machine ends TLS and says so in one header.
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME, LANGUAGE_COOKIE_NAME = (
    ("sessionid", "csrftoken", "language") if DEMO else ("__Host-session", "__Host-csrf", "__Host-language")
)
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = not DEMO
SECURE_SSL_REDIRECT = not DEMO
SECURE_PROXY_SSL_HEADER = None if DEMO else ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 0 if DEMO else 2 * 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = not DEMO
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 2**20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_HANDLERS = ["sheka.faces.console.documents.uploads.InMemory"]

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Chinese (simplified)")), ("en", _("English"))]
LOCALE_PATHS = sorted((PACKAGE / "faces").rglob("locale"))
USE_I18N = True
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

# Nothing is collected: the files are served from the packages, each under an address that changes with its content.
STATIC_URL = "static/"
STORAGES = {"staticfiles": {"BACKEND": "sheka.faces.console.storage.VersionedFiles"}}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_MAX_AGE = 3600

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = ""  # office.jobs knows the jobs of every app

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {"procrastinate": {"level": "WARNING"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
