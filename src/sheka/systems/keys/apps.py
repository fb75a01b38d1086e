from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class KeysConfig(AppConfig):
    name = "sheka.systems.keys"
    label = "keys"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        autodiscover_modules("key_uses")
