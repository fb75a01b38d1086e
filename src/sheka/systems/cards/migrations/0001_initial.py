import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from sheka.office.sql import run_sql_file


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('organisations', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Numbering',
            fields=[
                ('organisation', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='organisations.organisation')),
                ('last_serial', models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='DataChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=40, unique=True)),
                ('changes', models.JSONField()),
                ('on_card', models.BooleanField()),
                ('evidence', models.CharField(max_length=200)),
                ('by', models.CharField(max_length=80)),
                ('staff_id', models.BigIntegerField(null=True)),
                ('at', models.DateTimeField()),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
            ],
        ),
        migrations.CreateModel(
            name='DestructionBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=30, unique=True)),
                ('state', models.CharField(default='open', max_length=10)),
                ('method', models.CharField(max_length=60)),
                ('creator_person', models.CharField(max_length=40)),
                ('created_at', models.DateTimeField()),
                ('list_digest', models.CharField(max_length=64)),
                ('closed_by', models.CharField(default='', max_length=80)),
                ('closed_at', models.DateTimeField(null=True)),
                ('record_digest', models.CharField(default='', max_length=64)),
                ('creator', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
            ],
            options={
                'ordering': ('-created_at',),
            },
        ),
        migrations.CreateModel(
            name='ImportBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('file_name', models.CharField(max_length=200)),
                ('file_digest', models.CharField(max_length=64)),
                ('encoding', models.CharField(max_length=20)),
                ('rows', models.PositiveIntegerField()),
                ('added', models.PositiveIntegerField()),
                ('already_there', models.PositiveIntegerField()),
                ('refused', models.PositiveIntegerField()),
                ('by', models.CharField(max_length=80)),
                ('at', models.DateTimeField()),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
            ],
            options={
                'ordering': ('-at',),
            },
        ),
        migrations.CreateModel(
            name='ImportLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line', models.PositiveIntegerField()),
                ('outcome', models.CharField(max_length=20)),
                ('code', models.PositiveIntegerField()),
                ('facts', models.JSONField(default=dict)),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='cards.importbatch')),
            ],
            options={
                'ordering': ('line', 'pk'),
            },
        ),
        migrations.CreateModel(
            name='IssuingRight',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=24)),
                ('quantity', models.PositiveIntegerField()),
                ('layout_digest', models.CharField(max_length=64)),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField()),
                ('taken_at', models.DateTimeField()),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
            ],
            options={
                'ordering': ('organisation_id', 'number'),
            },
        ),
        migrations.CreateModel(
            name='Card',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=9, null=True, unique=True)),
                ('identification_code', models.CharField(max_length=32, null=True, unique=True)),
                ('chip_serial', models.CharField(max_length=16, null=True, unique=True)),
                ('state', models.CharField(db_index=True, default='ordered', max_length=20)),
                ('version', models.PositiveIntegerField(default=1)),
                ('algorithm', models.PositiveSmallIntegerField()),
                ('specification', models.CharField(max_length=4)),
                ('key_version', models.PositiveSmallIntegerField(default=1)),
                ('card_class', models.CharField(max_length=1)),
                ('factor', models.CharField(default='', max_length=16)),
                ('issued_on', models.DateField(null=True)),
                ('expires_on', models.DateField(null=True)),
                ('received_on', models.DateField(null=True)),
                ('activated_at', models.DateTimeField(null=True)),
                ('not_returned_at', models.DateTimeField(null=True)),
                ('held_at', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
                ('outlet', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
                ('right', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='cards', to='cards.issuingright')),
            ],
            options={
                'ordering': ('pk',),
            },
        ),
        migrations.CreateModel(
            name='Person',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('social_security_number', models.CharField(max_length=18, unique=True)),
                ('name', models.CharField(db_index=True, max_length=150)),
                ('sex', models.PositiveSmallIntegerField()),
                ('birth', models.DateField()),
                ('ethnic_group', models.CharField(max_length=2)),
                ('birthplace', models.CharField(default='', max_length=6)),
                ('phone', models.CharField(default='', max_length=20)),
                ('address', models.CharField(default='', max_length=200)),
                ('registered_at', models.DateTimeField()),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
            ],
        ),
        migrations.CreateModel(
            name='ExchangeCase',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=30, unique=True)),
                ('ground', models.CharField(max_length=20)),
                ('state', models.CharField(default='applied', max_length=20)),
                ('finding', models.JSONField(null=True)),
                ('proxy_name', models.CharField(default='', max_length=150)),
                ('proxy_number', models.CharField(default='', max_length=18)),
                ('proxy_relation', models.CharField(default='', max_length=60)),
                ('fee_fen', models.BigIntegerField()),
                ('fee_working', models.JSONField()),
                ('fee_receipt', models.CharField(default='', max_length=40)),
                ('fee_paid_at', models.DateTimeField(null=True)),
                ('applied_at', models.DateTimeField()),
                ('applied_on', models.DateField()),
                ('due_on', models.DateField()),
                ('due_provisional', models.BooleanField()),
                ('due_strip', models.JSONField()),
                ('proof_number', models.CharField(max_length=30, unique=True)),
                ('proof_to', models.DateField()),
                ('by', models.CharField(max_length=80)),
                ('ready_at', models.DateTimeField(null=True)),
                ('collected_at', models.DateTimeField(null=True)),
                ('collected_by', models.CharField(default='', max_length=10)),
                ('old_card_returned', models.BooleanField(null=True)),
                ('not_returned_reason', models.CharField(default='', max_length=200)),
                ('cancel_reason', models.CharField(default='', max_length=200)),
                ('closed_at', models.DateTimeField(null=True)),
                ('change', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='exchanges', to='cards.datachange')),
                ('new_card', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='exchange_for', to='cards.card')),
                ('old_card', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exchanges', to='cards.card')),
                ('outlet', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exchanges', to='cards.person')),
            ],
            options={
                'ordering': ('-applied_at',),
            },
        ),
        migrations.AddField(
            model_name='datachange',
            name='person',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='cards.person'),
        ),
        migrations.AddField(
            model_name='card',
            name='person',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='cards', to='cards.person'),
        ),
        migrations.CreateModel(
            name='Personalisation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('chip_serial', models.CharField(default='', max_length=16)),
                ('reader', models.CharField(max_length=120)),
                ('state', models.CharField(choices=[('started', 'started'), ('done', 'done'), ('failed', 'failed')], default='started', max_length=10)),
                ('code', models.PositiveIntegerField(null=True)),
                ('facts', models.JSONField(default=dict)),
                ('by', models.CharField(max_length=80)),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('card', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='personalisations', to='cards.card')),
            ],
            options={
                'ordering': ('started_at', 'pk'),
            },
        ),
        migrations.CreateModel(
            name='ProductionBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('algorithm', models.PositiveSmallIntegerField()),
                ('specification', models.CharField(max_length=4)),
                ('quantity', models.PositiveIntegerField()),
                ('reason', models.CharField(choices=[('order', 'order'), ('exchange', 'exchange')], max_length=20)),
                ('by', models.CharField(max_length=80)),
                ('at', models.DateTimeField()),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
                ('outlet', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
                ('right', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='batches', to='cards.issuingright')),
            ],
            options={
                'ordering': ('-at',),
            },
        ),
        migrations.AddField(
            model_name='card',
            name='batch',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='cards', to='cards.productionbatch'),
        ),
        migrations.CreateModel(
            name='ReturnTransfer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=30, unique=True)),
                ('state', models.CharField(default='sent', max_length=10)),
                ('sent_by', models.CharField(max_length=80)),
                ('sent_at', models.DateTimeField()),
                ('received_by', models.CharField(default='', max_length=80)),
                ('received_at', models.DateTimeField(null=True)),
                ('recipient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
                ('sender', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
            ],
            options={
                'ordering': ('-sent_at',),
            },
        ),
        migrations.CreateModel(
            name='ReturnItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('card', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='returns', to='cards.card')),
                ('transfer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='cards.returntransfer')),
            ],
        ),
        migrations.CreateModel(
            name='CardEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('event', models.CharField(max_length=40)),
                ('facts', models.JSONField(default=dict)),
                ('by', models.CharField(max_length=80)),
                ('card', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='cards.card')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
            ],
            options={
                'ordering': ('at', 'pk'),
                'indexes': [models.Index(fields=['card', 'at'], name='cards_event_card')],
            },
        ),
        migrations.CreateModel(
            name='DestructionItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('given_up', models.BooleanField(default=False)),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='cards.destructionbatch')),
                ('card', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='destructions', to='cards.card')),
            ],
            options={
                'ordering': ('pk',),
                'constraints': [models.UniqueConstraint(condition=models.Q(('given_up', False)), fields=('card',), name='cards_destruction_once')],
            },
        ),
        migrations.CreateModel(
            name='DestructionWitness',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('person_id', models.CharField(max_length=40)),
                ('name', models.CharField(max_length=60)),
                ('list_digest', models.CharField(max_length=64)),
                ('at', models.DateTimeField()),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='witnesses', to='cards.destructionbatch')),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('at',),
                'constraints': [models.UniqueConstraint(fields=('batch', 'person_id'), name='cards_witness_once')],
            },
        ),
        migrations.CreateModel(
            name='DocumentCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('step', models.CharField(choices=[('application', 'application'), ('collection', 'collection')], max_length=12)),
                ('kind', models.CharField(max_length=20)),
                ('number', models.CharField(default='', max_length=40)),
                ('original_seen', models.BooleanField()),
                ('copy_kept', models.BooleanField()),
                ('by', models.CharField(max_length=80)),
                ('at', models.DateTimeField()),
                ('exchange', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='documents', to='cards.exchangecase')),
            ],
            options={
                'ordering': ('pk',),
                'constraints': [models.UniqueConstraint(fields=('exchange', 'step', 'kind'), name='cards_document_once')],
            },
        ),
        migrations.AddConstraint(
            model_name='issuingright',
            constraint=models.UniqueConstraint(fields=('organisation', 'number'), name='cards_right_once'),
        ),
        migrations.AddConstraint(
            model_name='issuingright',
            constraint=models.CheckConstraint(condition=models.Q(('valid_to__gt', models.F('valid_from'))), name='cards_right_dates'),
        ),
        migrations.AddConstraint(
            model_name='person',
            constraint=models.CheckConstraint(condition=models.Q(('sex__in', (1, 2, 9))), name='cards_person_sex'),
        ),
        migrations.AddConstraint(
            model_name='exchangecase',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ('applied', 'in_production', 'ready'))), fields=('person',), name='cards_exchange_one_open'),
        ),
        migrations.AddConstraint(
            model_name='exchangecase',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'cancelled'), _negated=True), fields=('change',), name='cards_exchange_form_once'),
        ),
        migrations.AddConstraint(
            model_name='exchangecase',
            constraint=models.CheckConstraint(condition=models.Q(('fee_fen__gte', 0)), name='cards_exchange_fee'),
        ),
        migrations.AddConstraint(
            model_name='exchangecase',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ground', 'data_changed'), _negated=True), ('change__isnull', False), _connector='OR'), name='cards_exchange_needs_form'),
        ),
        migrations.AddConstraint(
            model_name='personalisation',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'done'), models.Q(('chip_serial', ''), _negated=True)), fields=('chip_serial',), name='cards_personalisation_one_card_a_chip'),
        ),
        migrations.AddConstraint(
            model_name='card',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ('handed_out', 'active', 'temporarily_lost', 'lost', 'blocked'))), fields=('person',), name='cards_card_one_held'),
        ),
        migrations.AddConstraint(
            model_name='card',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ('ordered', 'numbered', 'personalised', 'in_stock'))), fields=('person',), name='cards_card_one_in_production'),
        ),
        migrations.AddConstraint(
            model_name='card',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ('ordered', 'cancelled')), ('number__isnull', False), _connector='OR'), name='cards_card_numbered'),
        ),
        migrations.AddConstraint(
            model_name='returnitem',
            constraint=models.UniqueConstraint(fields=('transfer', 'card'), name='cards_return_once'),
        ),
        run_sql_file(__file__, "cards.sql"),
    ]
