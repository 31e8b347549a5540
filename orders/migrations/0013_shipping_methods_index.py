from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('orders', '0013_shipping_methods'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='salesorder',
            index=models.Index(fields=['organization', 'shipping_method', 'id'], name='sales_order_by_method'),
        ),
    ]
