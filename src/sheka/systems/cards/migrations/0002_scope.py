from django.db import migrations

from sheka.office.sql import open_to, open_to_functions_for, run_sql_file, scoped, scoped_by


class Migration(migrations.Migration):
    dependencies = [("cards", "0001_initial"), ("organisations", "0002_scope")]
    operations = [
        scoped("cards_person"),
        scoped_by("cards_datachange", "person_id", "cards_person"),
        scoped("cards_importbatch"),
        scoped_by("cards_importline", "batch_id", "cards_importbatch"),
        scoped("cards_issuingright"),
        scoped("cards_numbering"),
        scoped("cards_productionbatch"),
        scoped("cards_card"),
        scoped_by("cards_cardevent", "card_id", "cards_card"),
        scoped_by("cards_personalisation", "card_id", "cards_card"),
        scoped_by("cards_exchangecase", "old_card_id", "cards_card"),
        scoped_by("cards_documentcheck", "exchange_id", "cards_exchangecase"),
        scoped("cards_returntransfer", "sender_id"),
        scoped_by("cards_returnitem", "transfer_id", "cards_returntransfer"),
        scoped("cards_destructionbatch"),
        scoped_by("cards_destructionitem", "batch_id", "cards_destructionbatch"),
        scoped_by("cards_destructionwitness", "batch_id", "cards_destructionbatch"),
        open_to("cards_card", "sheka_ledger"),
        open_to_functions_for("cards_card", "sheka_enquiry"),
        open_to_functions_for("cards_person", "sheka_enquiry"),
        open_to_functions_for("cards_exchangecase", "sheka_enquiry"),
        run_sql_file(__file__, "enquiry.sql"),
    ]
