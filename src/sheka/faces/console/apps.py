from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "sheka.faces.console"
    label = "console"
