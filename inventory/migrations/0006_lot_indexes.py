from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('inventory', '0005_lots'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='stockitem',
            index=models.Index(fields=['organization', 'lot'], name='stock_item_by_lot'),
        ),
        AddIndexConcurrently(
            model_name='stockmove',
            index=models.Index(fields=['organization', 'lot', 'seq'], name='stock_move_by_lot'),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    'CREATE UNIQUE INDEX CONCURRENTLY stock_item_of_lot_once'
                    ' ON inventory_stockitem (organization_id, variant_id, location_id, lot_id) NULLS NOT DISTINCT',
                    'DROP INDEX CONCURRENTLY stock_item_of_lot_once',
                ),
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name='stockitem',
                    constraint=models.UniqueConstraint(
                        fields=('organization', 'variant', 'location', 'lot'), name='stock_item_of_lot_once', nulls_distinct=False,
                    ),
                ),
            ],
        ),
        # The guarantee goes on with the lot in it.
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    [(
                        '-- squawk-ignore ban-drop-constraint\n'
                        'ALTER TABLE inventory_stockitem DROP CONSTRAINT stock_item_once', None,
                    )],
                    'ALTER TABLE inventory_stockitem ADD CONSTRAINT stock_item_once UNIQUE (organization_id, variant_id, location_id)',
                ),
            ],
            state_operations=[migrations.RemoveConstraint(model_name='stockitem', name='stock_item_once')],
        ),
    ]
