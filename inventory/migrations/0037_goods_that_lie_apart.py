from django.db import migrations, models
from django.db.models.expressions import CombinedExpression

import core.fields

APART = """
    UPDATE inventory_stockitem AS s SET is_apart = true FROM inventory_location AS l
    WHERE l.organization_id = s.organization_id AND l.id = s.location_id AND l.kind NOT IN ('storage', 'receiving', 'shipping')
"""


class Migration(migrations.Migration):

    dependencies = [
        ('inventory', '0036_stock_snapshots_have_totals'),
    ]

    operations = [
        migrations.AddField(
            model_name='stockitem',
            name='is_apart',
            field=models.BooleanField(db_default=False, default=False, editable=False, verbose_name='apart'),
        ),
        migrations.RunSQL(APART, migrations.RunSQL.noop),
        # Another expression of a generated column is another column: this rewrites the table, once.
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    '-- squawk-ignore ban-drop-column, adding-field-with-default\n'
                    'ALTER TABLE inventory_stockitem DROP COLUMN available, ADD COLUMN available numeric(19, 6)'
                    ' GENERATED ALWAYS AS (CASE WHEN is_held OR is_apart THEN 0 ELSE quantity - reserved END) STORED',
                    '-- squawk-ignore ban-drop-column, adding-field-with-default\n'
                    'ALTER TABLE inventory_stockitem DROP COLUMN available, ADD COLUMN available numeric(19, 6)'
                    ' GENERATED ALWAYS AS (CASE WHEN is_held THEN 0 ELSE quantity - reserved END) STORED',
                ),
            ],
            state_operations=[
                migrations.AlterField(
                    model_name='stockitem',
                    name='available',
                    field=models.GeneratedField(db_persist=True, expression=models.Case(models.When(models.Q(('is_held', True), ('is_apart', True), _connector='OR'), then=models.Value(0)), default=CombinedExpression(models.F('quantity'), '-', models.F('reserved'))), output_field=core.fields.QuantityField(decimal_places=6, max_digits=19)),
                ),
            ],
        ),
    ]
