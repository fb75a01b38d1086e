from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class MessagesConfig(AppConfig):
    name = "sheka.office.messages"
    label = "office_messages"  # `messages` belongs to django.contrib.messages
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Each app's `messages` module registers its handlers."""
        autodiscover_modules("messages")
