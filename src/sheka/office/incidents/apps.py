from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class IncidentsConfig(AppConfig):
    name = "sheka.office.incidents"
    label = "incidents"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Each system's module `incidents` says how its things are frozen, and what follows an incident."""
        autodiscover_modules("incidents")
