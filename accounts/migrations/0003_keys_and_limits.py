import core.fields
import core.tenancy
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.db import migrations, models

ROW = [
    ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
    ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
    ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
]

# At once: an organization has a handful of keys, and the columns are new and empty. (Their removal takes these along.)
ONE_SUCCESSOR = '''-- squawk-ignore disallowed-unique-constraint, constraint-missing-not-valid
ALTER TABLE accounts_apikey ADD CONSTRAINT api_key_one_successor UNIQUE (organization_id, rotated_from_id);
'''
SIGNS_WITH_A_SECRET = '''-- squawk-ignore constraint-missing-not-valid
ALTER TABLE accounts_apikey ADD CONSTRAINT api_key_signs_with_a_secret CHECK (NOT require_signature OR signing_secret IS NOT NULL);
'''


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_identity_providers'),
    ]

    operations = [
        migrations.AddField(
            model_name='apikey',
            name='rate_per_minute',
            field=models.PositiveIntegerField(blank=True, help_text='Requests; empty: as many as any key.', null=True, validators=[django.core.validators.MinValueValidator(1)]),
        ),
        migrations.AddField(
            model_name='apikey',
            name='require_signature',
            field=models.BooleanField(db_default=False, default=False, help_text='Each request must be signed; chosen when the key is made.'),
        ),
        migrations.AddField(
            model_name='apikey',
            name='rotated_from',
            field=core.fields.TenantForeignKey(blank=True, db_constraint=False, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='successors', to='accounts.apikey'),
        ),
        migrations.AddField(
            model_name='apikey',
            name='signing_secret',
            field=models.BinaryField(help_text='Sealed by core.sealing: its use needs the secret itself.', null=True),
        ),
        migrations.AddField(
            model_name='organization',
            name='rate_per_minute',
            field=models.PositiveIntegerField(blank=True, help_text="Requests of all its people and programs; empty: the installation's default.", null=True, validators=[django.core.validators.MinValueValidator(1)]),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddConstraint(
                    model_name='apikey',
                    constraint=models.UniqueConstraint(fields=('organization', 'rotated_from'), name='api_key_one_successor'),
                ),
                migrations.AddConstraint(
                    model_name='apikey',
                    constraint=models.CheckConstraint(condition=models.Q(('require_signature', False), ('signing_secret__isnull', False), _connector='OR'), name='api_key_signs_with_a_secret', violation_error_message='This key has no secret to sign with: make a new one that requires signatures.'),
                ),
            ],
            database_operations=[migrations.RunSQL([ONE_SUCCESSOR, SIGNS_WITH_A_SECRET], migrations.RunSQL.noop)],
        ),
        migrations.CreateModel(
            name='IdempotencyRecord',
            fields=[
                *ROW,
                ('principal', models.CharField(help_text="user:<id> or key:<id>; another one's key is another key.", max_length=50)),
                ('key_hash', models.CharField(help_text='Of the Idempotency-Key, which itself is not kept.', max_length=64)),
                ('request_hash', models.CharField(help_text='Of method, address and body.', max_length=64)),
                ('status', models.PositiveSmallIntegerField()),
                ('headers', models.JSONField()),
                ('body', models.BinaryField(help_text='Null: too large to keep.', null=True)),
                ('is_sealed', models.BooleanField(help_text='The answer holds a secret; its body opens with the Idempotency-Key alone.')),
                ('expires_at', models.DateTimeField()),
            ],
            options={
                'default_permissions': ('view',),
                'indexes': [models.Index(fields=['expires_at'], name='idempotency_record_expiry')],
                'constraints': [models.UniqueConstraint(fields=('organization', 'principal', 'key_hash'), name='idempotency_record_once')],
            },
        ),
        migrations.CreateModel(
            name='RateWindow',
            fields=[
                ('bucket', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('ends', models.BigIntegerField(help_text='Unix time.')),
                ('granted', models.PositiveIntegerField()),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='UsedNonce',
            fields=[
                *ROW,
                ('api_key', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.apikey')),
                ('nonce', models.CharField(max_length=64)),
                ('expires_at', models.DateTimeField()),
            ],
            options={
                'default_permissions': (),
                'indexes': [models.Index(fields=['expires_at'], name='used_nonce_expiry')],
                'constraints': [models.UniqueConstraint(fields=('organization', 'api_key', 'nonce'), name='nonce_used_once')],
            },
        ),
    ]
