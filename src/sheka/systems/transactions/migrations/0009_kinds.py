import django.contrib.postgres.fields
from django.db import migrations, models

from sheka.office.sql import open_to, run_sql_file, scoped_by

TABLES = ("transactions_link", "transactions_abnormal", "transactions_batch", "transactions_batch_line")


class Migration(migrations.Migration):

    dependencies = [
        ('transactions', '0008_acquiring_scope'),
        ('accounts', '0003_pending'),
    ]

    operations = [
        migrations.CreateModel(
            name='Abnormal',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('kind', models.TextField()),
                ('business_date', models.DateField(null=True)),
                ('stan', models.IntegerField(null=True)),
                ('facts', models.JSONField()),
            ],
            options={
                'db_table': 'transactions_abnormal',
                'ordering': ('id',),
                'managed': False,
            },
        ),
        migrations.CreateModel(
            name='Batch',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('business_date', models.DateField()),
                ('stan', models.IntegerField()),
                ('after_upload', models.BooleanField()),
                ('theirs', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=8)),
                ('ours', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=8)),
                ('refusal', models.IntegerField()),
                ('at', models.DateTimeField()),
            ],
            options={
                'db_table': 'transactions_batch',
                'ordering': ('-id',),
                'managed': False,
            },
        ),
        migrations.CreateModel(
            name='BatchLine',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('business_date', models.DateField()),
                ('stan', models.IntegerField()),
                ('reversal', models.BooleanField()),
                ('amount', models.BigIntegerField()),
                ('card_number', models.TextField()),
                ('transaction_id', models.BigIntegerField(null=True)),
                ('refusal', models.IntegerField()),
                ('at', models.DateTimeField()),
            ],
            options={
                'db_table': 'transactions_batch_line',
                'ordering': ('id',),
                'managed': False,
            },
        ),
        migrations.CreateModel(
            name='Link',
            fields=[
                ('pk', models.CompositePrimaryKey('original', 'transaction_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('original', models.BigIntegerField()),
                ('transaction_id', models.BigIntegerField(db_column='id')),
                ('business_date', models.DateField()),
                ('kind', models.SmallIntegerField(choices=[(1, 'Purchase'), (2, 'Reversal'), (3, 'Pre Authorisation'), (4, 'Completion'), (5, 'Void'), (6, 'Refund')])),
                ('amount', models.BigIntegerField()),
                ('hold', models.BigIntegerField(null=True)),
            ],
            options={
                'db_table': 'transactions_link',
                'managed': False,
            },
        ),
        run_sql_file(__file__, 'kinds.sql'),
        *(scoped_by(table, 'institution_id', 'transactions_institution') for table in TABLES),
        *(open_to(table, 'sheka_ledger', writing=True) for table in TABLES),
    ]
