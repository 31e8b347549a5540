from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('inventory', '0018_vehicle_thresholds'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='vehiclemodel',
            index=models.Index(fields=['organization', 'model', 'year'], name='vehicle_model_by_model'),
        ),
        AddIndexConcurrently(
            model_name='vehiclemodel',
            index=models.Index(fields=['organization', 'year', 'id'], name='vehicle_model_by_year'),
        ),
        AddIndexConcurrently(
            model_name='fitment',
            index=models.Index(fields=['organization', 'vehicle_model', 'variant', 'id'], name='fitment_of_vehicle'),
        ),
        RemoveIndexConcurrently(model_name='fitment', name='fitment_by_vehicle'),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    # No client knows an index by its name.
                    ['-- squawk-ignore renaming-object\nALTER INDEX fitment_of_vehicle RENAME TO fitment_by_vehicle'],
                    'ALTER INDEX fitment_by_vehicle RENAME TO fitment_of_vehicle',
                ),
            ],
            state_operations=[
                migrations.RenameIndex(model_name='fitment', new_name='fitment_by_vehicle', old_name='fitment_of_vehicle'),
            ],
        ),
        AddIndexConcurrently(
            model_name='reorderrule',
            index=models.Index(fields=['organization', 'vehicle_model'], name='reorder_rule_by_vehicle'),
        ),
    ]
