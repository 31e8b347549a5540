import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

import core.fields

CHECK = 'reorder_rule_fetches_elsewhere'


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('inventory', '0026_replenishment_indexes'),
    ]

    operations = [
        migrations.AddField(
            model_name='reorderrule',
            name='source_warehouse',
            field=core.fields.TenantForeignKey(blank=True, help_text='Where goods are fetched before any are bought, as long as that has enough above its own minimum.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.warehouse'),
        ),
        migrations.AddField(
            model_name='reordertask',
            name='source_warehouse',
            field=core.fields.TenantForeignKey(blank=True, help_text='From where to transfer, in the place of buying.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.warehouse'),
        ),
        migrations.AddField(
            model_name='reordertask',
            name='transfer_order',
            field=core.fields.TenantForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.transferorder'),
        ),
        AddIndexConcurrently(
            model_name='reorderrule',
            index=models.Index(fields=['organization', 'source_warehouse'], name='reorder_rule_by_source'),
        ),
        AddIndexConcurrently(
            model_name='reordertask',
            index=models.Index(fields=['organization', 'source_warehouse'], name='reorder_task_by_source'),
        ),
        AddIndexConcurrently(
            model_name='reordertask',
            index=models.Index(fields=['organization', 'transfer_order'], name='reorder_task_by_transfer'),
        ),
        # Added without a look at the rows that are there, which is taken afterwards, without a lock.
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    f'ALTER TABLE inventory_reorderrule ADD CONSTRAINT {CHECK}'
                    ' CHECK (source_warehouse_id IS NULL OR NOT (source_warehouse_id = warehouse_id)) NOT VALID',
                    f'ALTER TABLE inventory_reorderrule DROP CONSTRAINT {CHECK}',
                ),
                migrations.RunSQL(
                    f'ALTER TABLE inventory_reorderrule VALIDATE CONSTRAINT {CHECK}', migrations.RunSQL.noop,
                ),
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name='reorderrule',
                    constraint=models.CheckConstraint(condition=models.Q(('source_warehouse__isnull', True), models.Q(('source_warehouse', models.F('warehouse')), _negated=True), _connector='OR'), name=CHECK, violation_error_message='Goods are fetched from another warehouse.'),
                ),
            ],
        ),
    ]
