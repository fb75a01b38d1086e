from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CardsConfig(AppConfig):
    name = "sheka.systems.cards"
    label = "cards"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        autodiscover_modules("card_standing")
