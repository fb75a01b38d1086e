from django.apps import AppConfig


class PsamsConfig(AppConfig):
    name = "sheka.systems.psams"
    label = "psams"
    default_auto_field = "django.db.models.BigAutoField"
