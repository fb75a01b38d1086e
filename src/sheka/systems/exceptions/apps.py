from django.apps import AppConfig


class ExceptionsConfig(AppConfig):
    name = "sheka.systems.exceptions"
    label = "exceptions"
    default_auto_field = "django.db.models.BigAutoField"
