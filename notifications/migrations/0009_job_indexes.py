from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('notifications', '0008_jobs_that_finish'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='job',
            index=models.Index(models.F('queue'), models.OrderBy(models.F('priority'), descending=True), models.F('run_after'), models.F('id'), condition=models.Q(('status', 'queued'), ('waits_for', '')), name='job_ready'),
        ),
        AddIndexConcurrently(
            model_name='job',
            index=models.Index(condition=models.Q(('status', 'queued'), ('waits_for', 'time')), fields=['run_after'], name='job_due'),
        ),
        AddIndexConcurrently(
            model_name='job',
            index=models.Index(condition=models.Q(('heartbeat_at__isnull', False), ('status__in', ['running', 'cancelling']), models.Q(('waits_for', 'steps'), _negated=True)), fields=['queue', 'heartbeat_at'], name='job_at_work'),
        ),
        AddIndexConcurrently(
            model_name='job',
            index=models.Index(condition=models.Q(('status__in', ['queued', 'running', 'cancelling']), models.Q(('lock_key', ''), _negated=True), models.Q(('waits_for', 'steps'), _negated=True)), fields=['organization', 'lock_key', 'seq'], name='job_in_turn'),
        ),
        AddIndexConcurrently(
            model_name='job',
            index=models.Index(fields=['organization', 'parent', 'step'], name='job_by_parent'),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    'CREATE UNIQUE INDEX CONCURRENTLY job_lock_key_once ON notifications_job (organization_id, lock_key)'
                    " WHERE heartbeat_at IS NOT NULL AND status IN ('running', 'cancelling') AND waits_for <> 'steps' AND lock_key <> ''",
                    'DROP INDEX CONCURRENTLY job_lock_key_once',
                ),
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name='job',
                    constraint=models.UniqueConstraint(condition=models.Q(('heartbeat_at__isnull', False), ('status__in', ['running', 'cancelling']), models.Q(('waits_for', 'steps'), _negated=True), models.Q(('lock_key', ''), _negated=True)), fields=('organization', 'lock_key'), name='job_lock_key_once'),
                ),
            ],
        ),
        ValidateConstraint(model_name='job', name='job_time_limit'),
        RemoveIndexConcurrently(
            model_name='job',
            name='job_next',
        ),
        RemoveIndexConcurrently(
            model_name='job',
            name='job_leases',
        ),
    ]
