from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class TransactionsConfig(AppConfig):
    name = "sheka.systems.transactions"
    label = "transactions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        autodiscover_modules("retention_holds", "archive_jobs")
