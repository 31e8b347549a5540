from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('notifications', '0010_clock'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='eventdelivery',
            index=models.Index(condition=models.Q(('finished_at__isnull', False)), fields=['finished_at'], name='event_delivery_finished'),
        ),
        AddIndexConcurrently(
            model_name='job',
            index=models.Index(condition=models.Q(('finished_at__isnull', False)), fields=['finished_at'], name='job_finished'),
        ),
        AddIndexConcurrently(
            model_name='schedulerun',
            index=models.Index(condition=models.Q(('outcome__in', ['running', 'lost'])), fields=['outcome'], name='schedule_run_unfinished'),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    'CREATE UNIQUE INDEX CONCURRENTLY schedule_in_a_zone ON notifications_schedule (task, timezone)',
                    'DROP INDEX CONCURRENTLY schedule_in_a_zone',
                ),
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name='schedule',
                    constraint=models.UniqueConstraint(fields=('task', 'timezone'), name='schedule_in_a_zone'),
                ),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    # What it guarantees, the index above does.
                    ['-- squawk-ignore ban-drop-constraint\nALTER TABLE notifications_schedule DROP CONSTRAINT notifications_schedule_task_key'],
                    'ALTER TABLE notifications_schedule ADD CONSTRAINT notifications_schedule_task_key UNIQUE (task)',
                ),
                migrations.RunSQL(
                    'DROP INDEX CONCURRENTLY notifications_schedule_task_3f1bfb63_like',
                    'CREATE INDEX CONCURRENTLY notifications_schedule_task_3f1bfb63_like'
                    ' ON notifications_schedule (task varchar_pattern_ops)',
                ),
            ],
            state_operations=[
                migrations.AlterField(model_name='schedule', name='task', field=models.CharField(max_length=200)),
            ],
        ),
    ]
