from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    name = "sheka.office.organisations"
    label = "organisations"
    default_auto_field = "django.db.models.BigAutoField"
