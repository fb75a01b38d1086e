"""WSGI entry of the web process."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sheka.config.settings")
application = get_wsgi_application()

from sheka.foundation.calendar import install_calendar  # noqa: E402 - the models need the settings above
from sheka.office.database.guard import start_protected  # noqa: E402
from sheka.office.operations.calendars import working_calendar  # noqa: E402

start_protected()
install_calendar(working_calendar)
