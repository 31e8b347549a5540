import django.db.models.deletion
from django.db import migrations

import core.fields


class Migration(migrations.Migration):

    dependencies = [
        ('inventory', '0017_product_tax_category_index'),
    ]

    operations = [
        migrations.AddField(
            model_name='reorderrule',
            name='vehicle_model',
            field=core.fields.TenantForeignKey(blank=True, help_text='What must be there for this vehicle, which the part fits. Empty: for all of them.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.vehiclemodel'),
        ),
        # A rule that was given another variant may have left a task behind: of two for the same goods the newer stays.
        migrations.RunSQL(
            """
            UPDATE inventory_reordertask AS t SET status = 'dismissed', closed_at = now()
            WHERE t.status IN ('open', 'ordered', 'snoozed') AND EXISTS (
                SELECT FROM inventory_reordertask AS newer
                WHERE newer.organization_id = t.organization_id AND newer.variant_id = t.variant_id
                    AND newer.warehouse_id = t.warehouse_id AND newer.id > t.id
                    AND newer.status IN ('open', 'ordered', 'snoozed'))
            """,
            migrations.RunSQL.noop,
        ),
    ]
