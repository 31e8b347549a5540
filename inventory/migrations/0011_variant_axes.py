from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('inventory', '0010_attributes_assemblies_relations'),
    ]

    operations = [
        ValidateConstraint(model_name='unitofmeasure', name='unit_divisor_positive'),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    'CREATE UNIQUE INDEX CONCURRENTLY variant_axes_once ON inventory_productvariant (organization_id, product_id, axis_key)'
                    ' WHERE archived_at IS NULL',
                    'DROP INDEX CONCURRENTLY variant_axes_once',
                ),
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name='productvariant',
                    constraint=models.UniqueConstraint(condition=models.Q(('archived_at__isnull', True)), fields=('organization', 'product', 'axis_key'), name='variant_axes_once', violation_error_message='Another variant of this product has the same values on all axes.'),
                ),
            ],
        ),
        # A pair is two pieces; a set is no number of them.
        migrations.RunSQL(
            [
                "UPDATE inventory_unitofmeasure SET factor = 2 WHERE code = 'PR' AND dimension = 'count' AND factor = 1",
                "UPDATE inventory_unitofmeasure SET dimension = 'none' WHERE code = 'SET' AND dimension = 'count' AND factor = 1",
            ],
            migrations.RunSQL.noop,
        ),
    ]
