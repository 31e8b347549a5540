from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('notifications', '0019_places_in_the_daily_cap'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='notificationdelivery',
            index=models.Index(condition=models.Q(('counted_at__isnull', False), ('status', 'queued')), fields=['organization', 'channel', 'counted_at'], name='delivery_under_way'),
        ),
    ]
