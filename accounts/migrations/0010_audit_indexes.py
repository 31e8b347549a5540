from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('accounts', '0009_governance'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='auditentry',
            index=models.Index(fields=['organization', 'created_at', 'id'], name='audit_by_time'),
        ),
        AddIndexConcurrently(
            model_name='auditentry',
            index=models.Index(fields=['organization', 'table_name', 'id'], name='audit_by_table'),
        ),
        AddIndexConcurrently(
            model_name='auditentry',
            index=models.Index(condition=models.Q(('action', 'delete')), fields=['organization', 'id'], name='audit_deletions'),
        ),
    ]
