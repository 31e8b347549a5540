from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('inventory', '0038_promises_lost'),
    ]

    operations = [
        migrations.AddField(
            model_name='productvariant',
            name='sold_by_components',
            field=models.BooleanField(db_default=False, default=False, help_text='Of a kit: an order takes its components from stock, by its bill of materials. It has no stock of its own.'),
        ),
    ]
