from django.apps import AppConfig


class ClearingConfig(AppConfig):
    name = "sheka.systems.clearing"
    label = "clearing"
    default_auto_field = "django.db.models.BigAutoField"
