import core.tenancy
import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import uuid_utils.compat
from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('email', models.EmailField(max_length=254)),
                ('roles', django.contrib.postgres.fields.ArrayField(base_field=models.SlugField(max_length=40), help_text='Codes of roles, such as viewer.', size=None)),
                ('token_hash', models.CharField(editable=False, max_length=64, unique=True)),
                ('expires_at', models.DateTimeField(editable=False)),
                ('accepted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('revoked_at', models.DateTimeField(blank=True, editable=False, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='UserSession',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('session_id', models.BigIntegerField(editable=False)),
                ('ip', models.GenericIPAddressField(verbose_name='IP address')),
                ('user_agent', models.CharField(blank=True, max_length=200)),
                ('last_seen_at', models.DateTimeField(help_text='To ten minutes.')),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('ended_reason', models.CharField(blank=True, choices=[('signed_out', 'Signed out'), ('revoked', 'Revoked'), ('reuse', 'A refresh token was used twice'), ('password', 'The password changed')], max_length=10)),
            ],
            options={
                'verbose_name': 'sign-in',
            },
        ),
        migrations.AddField(
            model_name='organization',
            name='access_token_seconds',
            field=models.PositiveIntegerField(blank=True, help_text='How long an access token works, in seconds: 300 to 86400; empty: as the installation says.', null=True, validators=[django.core.validators.MinValueValidator(300), django.core.validators.MaxValueValidator(86400)]),
        ),
        migrations.AddField(
            model_name='organization',
            name='refresh_token_seconds',
            field=models.PositiveIntegerField(blank=True, help_text='How long a sign-in lasts that nobody uses, in seconds: 3600 to 7776000; empty: as the installation says.', null=True, validators=[django.core.validators.MinValueValidator(3600), django.core.validators.MaxValueValidator(7776000)]),
        ),
        # Not validated: the column is new, so there is nothing to read, and what is written is checked all the same.
        AddConstraintNotValid(
            model_name='organization',
            constraint=models.CheckConstraint(condition=models.Q(('access_token_seconds__isnull', True), ('access_token_seconds__range', (300, 86400)), _connector='OR'), name='organization_access_token_seconds', violation_error_message='From 300 to 86400 seconds.'),
        ),
        AddConstraintNotValid(
            model_name='organization',
            constraint=models.CheckConstraint(condition=models.Q(('refresh_token_seconds__isnull', True), ('refresh_token_seconds__range', (3600, 7776000)), _connector='OR'), name='organization_refresh_token_seconds', violation_error_message='From 3600 to 7776000 seconds.'),
        ),
        migrations.AddConstraint(
            model_name='invitation',
            constraint=models.UniqueConstraint(condition=models.Q(('accepted_at', None), ('revoked_at', None)), fields=('organization', 'email'), name='invitation_one_open', violation_error_message='This address has an open invitation already: send it again, or revoke it.'),
        ),
        migrations.AddConstraint(
            model_name='invitation',
            constraint=models.CheckConstraint(condition=models.Q(('email', django.db.models.functions.text.Lower('email'))), name='invitation_email_lower_case'),
        ),
        migrations.AddIndex(
            model_name='usersession',
            index=models.Index(fields=['organization', 'user'], name='user_session_by_user'),
        ),
        migrations.AddIndex(
            model_name='usersession',
            index=models.Index(fields=['organization', 'ended_at'], name='user_session_by_end'),
        ),
        migrations.AddConstraint(
            model_name='usersession',
            constraint=models.UniqueConstraint(fields=('organization', 'session_id'), name='user_session_once'),
        ),
        # Whoever is here was let in by an operator, who answers for the address.
        migrations.RunSQL(
            'UPDATE accounts_user SET email_verified_at = created_at WHERE email_verified_at IS NULL',
            migrations.RunSQL.noop,
        ),
    ]
