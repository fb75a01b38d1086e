from django.apps import AppConfig


class CeremoniesConfig(AppConfig):
    name = "sheka.systems.ceremonies"
    label = "ceremonies"
    default_auto_field = "django.db.models.BigAutoField"
