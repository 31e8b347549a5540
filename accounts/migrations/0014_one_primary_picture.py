from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('accounts', '0013_primary_pictures'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    'CREATE UNIQUE INDEX CONCURRENTLY attachment_one_primary ON accounts_attachment'
                    ' (organization_id, object_type, object_id) WHERE is_primary',
                    'DROP INDEX CONCURRENTLY attachment_one_primary',
                ),
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name='attachment',
                    constraint=models.UniqueConstraint(condition=models.Q(('is_primary', True)), fields=('organization', 'object_type', 'object_id'), name='attachment_one_primary', violation_error_message='Another picture was made the primary one at the same moment: try again.'),
                ),
            ],
        ),
    ]
