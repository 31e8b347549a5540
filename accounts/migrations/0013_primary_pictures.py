from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0012_costing_method'),
    ]

    operations = [
        migrations.AddField(
            model_name='attachment',
            name='is_primary',
            field=models.BooleanField(db_default=False, default=False, editable=False, help_text='Of the pictures of a row, the one that is shown first.'),
        ),
    ]
