import core.fields
import django.db.models.deletion
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('inventory', '0015_prices_and_taxes'),
    ]

    operations = [
        migrations.AddField(
            model_name='product',
            name='tax_category',
            field=core.fields.TenantForeignKey(blank=True, db_constraint=False, db_index=False, help_text='Empty: standard.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.taxcategory'),
        ),
    ]
