import core.tenancy
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):
    """Triggers keep the words from here on; `manage.py rebuild_search` makes those of the rows that were there before."""

    dependencies = [
        ('accounts', '0001_initial'),
        ('inventory', '0013_scanned_codes'),
    ]

    operations = [
        migrations.CreateModel(
            name='SearchToken',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('source_id', models.UUIDField()),
                ('product_id', models.UUIDField()),
                ('variant_id', models.UUIDField(null=True)),
                ('token', models.CharField(db_collation='C', max_length=64)),
                ('is_code', models.BooleanField(default=False)),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'default_permissions': (),
                'indexes': [models.Index(fields=['organization', 'token'], include=('product_id', 'variant_id', 'is_code'), name='search_by_token'), models.Index(fields=['organization', 'product_id', 'source_id'], name='search_by_source')],
            },
        ),
    ]
