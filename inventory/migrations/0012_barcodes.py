import core.fields
import core.tenancy
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
        ('inventory', '0011_variant_axes'),
    ]

    operations = [
        migrations.CreateModel(
            name='ProductBarcode',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('symbology', models.CharField(choices=[('ean13', 'EAN-13'), ('ean8', 'EAN-8'), ('upca', 'UPC-A'), ('gtin14', 'GTIN-14'), ('itf14', 'ITF-14'), ('code128', 'Code 128'), ('code39', 'Code 39'), ('qr', 'QR'), ('datamatrix', 'Data Matrix'), ('other', 'Other')], default='ean13', max_length=10)),
                ('value', models.CharField(help_text='Of a GTIN all digits, with the check digit.', max_length=128)),
                ('value_key', core.fields.SearchKeyField(source='value')),
                ('gtin', models.GeneratedField(db_persist=True, expression=models.Case(models.When(symbology__in=['ean8', 'upca', 'ean13', 'gtin14', 'itf14'], then=django.db.models.functions.text.LPad('value', 14, models.Value('0')))), null=True, output_field=models.CharField(max_length=14, null=True), verbose_name='GTIN')),
                ('quantity', core.fields.QuantityField(decimal_places=6, default=1, help_text='Base units in the pack that carries this code.', max_digits=19)),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('variant', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='barcodes', to='inventory.productvariant')),
            ],
            options={
                'verbose_name': 'barcode',
                'indexes': [models.Index(fields=['organization', 'variant'], name='barcode_by_variant'), models.Index(fields=['organization', 'value_key'], name='barcode_search')],
                'constraints': [models.UniqueConstraint(fields=('organization', 'symbology', 'value'), name='barcode_once'), models.UniqueConstraint(fields=('organization', 'gtin'), name='barcode_gtin_once', violation_error_message='This number is taken: EAN, UPC and GTIN of the same digits are one code.'), models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='barcode_quantity_positive')],
            },
        ),
    ]
