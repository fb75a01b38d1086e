from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "sheka.faces.console"
    label = "console"

    def ready(self) -> None:
        """The worker knows the job of the lists."""
        from sheka.faces.console import list_jobs  # noqa: F401
