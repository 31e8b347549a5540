from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('inventory', '0033_receipts_of_documents'),
    ]

    operations = [
        migrations.AlterField(
            model_name='productvariant',
            name='is_kit',
            field=models.BooleanField(
                db_default=False, default=False,
                help_text='Put together when it is wanted: it is never low or out of stock. Assemble it before it is sold.',
            ),
        ),
    ]
