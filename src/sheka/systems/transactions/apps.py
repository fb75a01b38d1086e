from django.apps import AppConfig


class TransactionsConfig(AppConfig):
    name = "sheka.systems.transactions"
    label = "transactions"
    default_auto_field = "django.db.models.BigAutoField"
