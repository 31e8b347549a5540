from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('orders', '0008_selling'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='salesorder',
            index=models.Index(fields=['organization', 'stuck_at', 'id'], name='sales_order_by_stuck'),
        ),
    ]
