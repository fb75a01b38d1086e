from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class OrganisationsConfig(AppConfig):
    name = "sheka.office.organisations"
    label = "organisations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Each app's `closing` module says what keeps an organisation open."""
        autodiscover_modules("closing")
