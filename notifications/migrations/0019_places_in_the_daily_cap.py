from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0018_inbox_constraints'),
    ]

    operations = [
        migrations.AddField(
            model_name='notificationdelivery',
            name='counted_at',
            field=models.DateTimeField(blank=True, help_text='When it was counted towards the daily cap of its sender.', null=True),
        ),
    ]
