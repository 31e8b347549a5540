from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('inventory', '0038_promises_lost'),
    ]

    operations = [
        migrations.AlterField(
            model_name='productvariant',
            name='is_kit',
            field=models.BooleanField(db_default=False, default=False, help_text='Put together when it is wanted: it is never low or out of stock. Assemble it before it is sold, or sell it by its components.'),
        ),
        migrations.AddField(
            model_name='productvariant',
            name='sold_by_components',
            field=models.BooleanField(db_default=False, default=False, help_text='Of a kit: an order takes its components from stock, by its bill of materials. It has no stock of its own.'),
        ),
    ]
