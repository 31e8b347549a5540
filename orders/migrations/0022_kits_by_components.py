import core.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('inventory', '0039_sold_by_components_check'),
        ('orders', '0021_credited_total'),
    ]

    operations = [
        migrations.AddField(
            model_name='salesorderitem',
            name='kit',
            field=core.fields.TenantForeignKey(blank=True, db_constraint=False, db_index=False, editable=False, help_text='Of a component, the line of the kit that it is part of.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='components', to='orders.salesorderitem'),
        ),
        migrations.AddField(
            model_name='salesorderitem',
            name='kit_share',
            field=models.DecimalField(blank=True, decimal_places=6, editable=False, help_text='Of a component, its share of what the kit costs, by standard costs.', max_digits=7, null=True),
        ),
        migrations.AddField(
            model_name='salesorderitem',
            name='per_kit',
            field=core.fields.QuantityField(blank=True, decimal_places=6, editable=False, help_text='Of a component, how much is in one kit.', max_digits=19, null=True),
        ),
        migrations.AddField(
            model_name='salesorderitem',
            name='sold_by_components',
            field=models.BooleanField(db_default=False, default=False, editable=False, help_text='A kit: the lines of its components have its goods.'),
        ),
    ]
