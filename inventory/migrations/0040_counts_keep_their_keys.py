import core.tenancy
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0015_purchase_approval'),
        ('inventory', '0039_sold_by_components_check'),
    ]

    operations = [
        migrations.CreateModel(
            name='CountedPosting',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('idempotency_key', models.CharField(max_length=100)),
                ('asked', models.CharField(help_text='The hash of its lines.', max_length=64)),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('organization', 'idempotency_key'), name='counted_posting_once')],
            },
        ),
    ]
