from django.db import migrations, models

UNFINISHED = "('open', 'ordered', 'snoozed')"


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('inventory', '0019_vehicle_indexes'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    'CREATE UNIQUE INDEX CONCURRENTLY reorder_rule_per_vehicle ON inventory_reorderrule'
                    ' (organization_id, variant_id, warehouse_id, vehicle_model_id) NULLS NOT DISTINCT',
                    'DROP INDEX CONCURRENTLY IF EXISTS reorder_rule_per_vehicle',
                ),
                migrations.RunSQL(
                    'ALTER TABLE inventory_reorderrule ADD CONSTRAINT reorder_rule_per_vehicle UNIQUE USING INDEX reorder_rule_per_vehicle',
                    'ALTER TABLE inventory_reorderrule DROP CONSTRAINT reorder_rule_per_vehicle',
                ),
                migrations.RunSQL(
                    # What it guarantees, the constraint above does.
                    ['-- squawk-ignore ban-drop-constraint\nALTER TABLE inventory_reorderrule DROP CONSTRAINT reorder_rule_once'],
                    'ALTER TABLE inventory_reorderrule ADD CONSTRAINT reorder_rule_once UNIQUE (organization_id, variant_id, warehouse_id)',
                ),
            ],
            state_operations=[
                migrations.RemoveConstraint(model_name='reorderrule', name='reorder_rule_once'),
                migrations.AddConstraint(
                    model_name='reorderrule',
                    constraint=models.UniqueConstraint(fields=('organization', 'variant', 'warehouse', 'vehicle_model'), name='reorder_rule_per_vehicle', nulls_distinct=False),
                ),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    'CREATE UNIQUE INDEX CONCURRENTLY reorder_task_once ON inventory_reordertask'
                    f' (organization_id, variant_id, warehouse_id) WHERE status IN {UNFINISHED}',
                    'DROP INDEX CONCURRENTLY reorder_task_once',
                ),
                migrations.RunSQL(
                    'DROP INDEX CONCURRENTLY reorder_task_one_unfinished',
                    'CREATE UNIQUE INDEX CONCURRENTLY reorder_task_one_unfinished ON inventory_reordertask'
                    f' (organization_id, rule_id) WHERE status IN {UNFINISHED}',
                ),
            ],
            state_operations=[
                migrations.RemoveConstraint(model_name='reordertask', name='reorder_task_one_unfinished'),
                migrations.AddConstraint(
                    model_name='reordertask',
                    constraint=models.UniqueConstraint(condition=models.Q(('status__in', ['open', 'ordered', 'snoozed'])), fields=('organization', 'variant', 'warehouse'), name='reorder_task_once'),
                ),
            ],
        ),
    ]
