from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class JobsConfig(AppConfig):
    name = "sheka.office.jobs"
    label = "jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Each app's `jobs` module declares its jobs and turns; procrastinate learns of them here."""
        autodiscover_modules("jobs")
        from sheka.office.jobs.queue import register_turns

        register_turns()
