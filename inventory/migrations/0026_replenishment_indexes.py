from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

CHECKS = {
    'reorder_rule_safety_not_negative': ('reorderrule', 'safety_stock IS NULL OR safety_stock >= 0', {
        'condition': models.Q(('safety_stock__isnull', True), ('safety_stock__gte', 0), _connector='OR'),
    }),
    'reorder_rule_service_level': ('reorderrule', 'service_level >= 50 AND service_level <= 99', {
        'condition': models.Q(('service_level__gte', 50), ('service_level__lte', 99)),
        'violation_error_message': 'A service level is from 50 to 99.',
    }),
    'reorder_rule_forecast_covers_days': (
        'reorderrule', "NOT (method = 'forecast') OR max_quantity IS NULL OR cover_days IS NOT NULL", {
            'condition': models.Q(
                models.Q(('method', 'forecast'), _negated=True), ('max_quantity__isnull', True), ('cover_days__isnull', False),
                _connector='OR',
            ),
            'violation_error_message': 'By forecast the maximum is computed: give cover_days in its place.',
        },
    ),
    'reorder_task_ordered_positive': ('reordertask', 'ordered_quantity IS NULL OR ordered_quantity > 0', {
        'condition': models.Q(('ordered_quantity__isnull', True), ('ordered_quantity__gt', 0), _connector='OR'),
    }),
}


def checks():
    """Each is added without a look at the rows that are there, which is taken afterwards, without a lock."""
    for name, (model, condition, options) in CHECKS.items():
        table = f'inventory_{model}'
        yield migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    f'ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID',
                    f'ALTER TABLE {table} DROP CONSTRAINT {name}',
                ),
                migrations.RunSQL(f'ALTER TABLE {table} VALIDATE CONSTRAINT {name}', migrations.RunSQL.noop),
            ],
            state_operations=[
                migrations.AddConstraint(model_name=model, constraint=models.CheckConstraint(name=name, **options)),
            ],
        )


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('inventory', '0025_replenishment_plans'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='reordertask',
            index=models.Index(fields=['organization', 'assignee', 'id'], name='reorder_task_by_assignee'),
        ),
        AddIndexConcurrently(
            model_name='reordertask',
            index=models.Index(condition=models.Q(('status', 'snoozed')), fields=['organization', 'snoozed_until'], name='reorder_task_snoozed'),
        ),
        *checks(),
    ]
