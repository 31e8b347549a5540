from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('inventory', '0037_goods_that_lie_apart'),
    ]

    operations = [
        migrations.AddField(
            model_name='stockcount',
            name='promises_lost',
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False, help_text='How many reservations gave way, because their goods were not found: they are promised from elsewhere or wait.'),
        ),
    ]
