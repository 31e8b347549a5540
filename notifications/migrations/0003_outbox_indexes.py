from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('notifications', '0002_events_and_webhooks'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='outboxevent',
            index=models.Index(condition=models.Q(('awaits_bus', True)), fields=['seq'], name='outbox_event_for_the_bus'),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    'CREATE UNIQUE INDEX CONCURRENTLY outbox_event_position ON notifications_outboxevent (organization_id, position)'
                    ' WHERE position IS NOT NULL',
                    'DROP INDEX CONCURRENTLY outbox_event_position',
                ),
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name='outboxevent',
                    constraint=models.UniqueConstraint(
                        condition=models.Q(('position__isnull', False)), fields=('organization', 'position'), name='outbox_event_position',
                    ),
                ),
            ],
        ),
    ]
