from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "sheka.office.jobs"
    label = "jobs"
    default_auto_field = "django.db.models.BigAutoField"
