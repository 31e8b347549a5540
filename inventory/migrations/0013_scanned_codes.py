from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('inventory', '0012_barcodes'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='location',
            index=models.Index(condition=models.Q(('barcode', ''), _negated=True), fields=['organization', 'barcode'], name='location_by_barcode'),
        ),
        AddIndexConcurrently(
            model_name='supplierproduct',
            index=models.Index(fields=['organization', 'supplier_sku'], name='supplier_product_by_sku'),
        ),
    ]
