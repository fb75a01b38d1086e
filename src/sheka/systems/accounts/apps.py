from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class AccountsConfig(AppConfig):
    name = "sheka.systems.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Higher systems say in their module `proofs` what else is proved when the books are."""
        autodiscover_modules("proofs")
