import accounts.models.tenancy
import core.fields
import core.tenancy
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Category',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('archived_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('name', models.CharField(max_length=100)),
                ('name_key', core.fields.SearchKeyField(source='name')),
                ('slug', models.SlugField(db_index=False, max_length=100)),
                ('description', models.TextField(blank=True)),
                ('external_ref', models.CharField(blank=True, max_length=100, null=True)),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('parent', core.fields.TenantForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='inventory.category')),
            ],
            options={
                'verbose_name_plural': 'categories',
            },
        ),
        migrations.CreateModel(
            name='Warehouse',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('archived_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('code', models.CharField(max_length=40)),
                ('code_key', core.fields.SearchKeyField(source='code')),
                ('name', models.CharField(max_length=100)),
                ('gln', models.CharField(blank=True, max_length=13, validators=[django.core.validators.RegexValidator('^\\d{13}$', 'A GLN has 13 digits.')])),
                ('timezone', models.CharField(blank=True, max_length=64, validators=[accounts.models.tenancy.validate_timezone])),
                ('kind', models.CharField(choices=[('own', 'Own'), ('third_party', 'Third party'), ('transit', 'Transit')], default='own', max_length=12)),
                ('is_active', models.BooleanField(default=True)),
                ('external_ref', models.CharField(blank=True, max_length=100, null=True)),
                ('address', core.fields.TenantForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.address')),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
        ),
        migrations.CreateModel(
            name='Location',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('code', models.CharField(max_length=40)),
                ('code_key', core.fields.SearchKeyField(source='code')),
                ('name', models.CharField(blank=True, max_length=100)),
                ('kind', models.CharField(choices=[('storage', 'Storage'), ('receiving', 'Receiving'), ('shipping', 'Shipping'), ('quarantine', 'Quarantine'), ('scrap', 'Scrap')], default='storage', max_length=10)),
                ('barcode', models.CharField(blank=True, max_length=64)),
                ('pick_sequence', models.PositiveIntegerField(default=0)),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('parent', core.fields.TenantForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='inventory.location')),
                ('warehouse', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='locations', to='inventory.warehouse')),
            ],
        ),
        migrations.CreateModel(
            name='UnitOfMeasure',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('code', models.CharField(max_length=8)),
                ('name', models.CharField(max_length=60)),
                ('dimension', models.CharField(choices=[('count', 'Count'), ('mass', 'Mass'), ('length', 'Length'), ('area', 'Area'), ('volume', 'Volume'), ('time', 'Time')], default='count', max_length=8)),
                ('factor', core.fields.QuantityField(decimal_places=6, default=1, help_text="How many of the dimension's base unit one of these is.", max_digits=19)),
                ('rounding', models.PositiveSmallIntegerField(default=0, help_text='Decimal places of a quantity in this unit.')),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'verbose_name_plural': 'units of measure',
            },
        ),
        migrations.CreateModel(
            name='Product',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('archived_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('name', models.CharField(max_length=200)),
                ('name_key', core.fields.SearchKeyField(source='name')),
                ('description', models.TextField(blank=True)),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('active', 'Active'), ('discontinued', 'Discontinued')], default='active', max_length=12)),
                ('tracking', models.CharField(choices=[('none', 'None')], default='none', max_length=6)),
                ('hs_code', models.CharField(blank=True, max_length=14)),
                ('country_of_origin', models.CharField(blank=True, max_length=2, validators=[django.core.validators.RegexValidator('^[A-Z]{2}$', 'Two capital letters, by ISO 3166: PT, US.')])),
                ('external_ref', models.CharField(blank=True, max_length=100, null=True)),
                ('category', core.fields.TenantForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='products', to='inventory.category')),
                ('manufacturer', core.fields.TenantForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.party')),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('base_unit', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.unitofmeasure')),
            ],
        ),
        migrations.CreateModel(
            name='ProductVariant',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('archived_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('sku', models.CharField(max_length=64)),
                ('sku_key', core.fields.SearchKeyField(source='sku')),
                ('name', models.CharField(max_length=200)),
                ('name_key', core.fields.SearchKeyField(source='name')),
                ('weight', core.fields.QuantityField(blank=True, decimal_places=6, max_digits=19, null=True)),
                ('length', core.fields.QuantityField(blank=True, decimal_places=6, max_digits=19, null=True)),
                ('width', core.fields.QuantityField(blank=True, decimal_places=6, max_digits=19, null=True)),
                ('height', core.fields.QuantityField(blank=True, decimal_places=6, max_digits=19, null=True)),
                ('standard_cost', core.fields.MoneyField(decimal_places=6, default=0, max_digits=19)),
                ('abc_class', models.CharField(blank=True, choices=[('A', 'A'), ('B', 'B'), ('C', 'C')], max_length=1)),
                ('shelf_life_days', models.PositiveIntegerField(blank=True, null=True)),
                ('external_ref', models.CharField(blank=True, max_length=100, null=True)),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('product', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='variants', to='inventory.product')),
            ],
            options={
                'verbose_name': 'variant',
            },
        ),
        migrations.CreateModel(
            name='ReasonCode',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('adjustment', 'Adjustment'), ('issue', 'Issue'), ('move', 'Move'), ('receipt', 'Receipt')], default='adjustment', max_length=10)),
                ('code', models.CharField(max_length=20)),
                ('name', models.CharField(max_length=100)),
                ('requires_note', models.BooleanField(default=False)),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
        ),
        migrations.CreateModel(
            name='StockMove',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('seq', core.fields.SequenceField(editable=False)),
                ('kind', models.CharField(choices=[('receipt', 'Receipt'), ('issue', 'Issue'), ('adjustment', 'Adjustment'), ('move', 'Move')], max_length=10)),
                ('quantity', core.fields.QuantityField(decimal_places=6, max_digits=19)),
                ('note', models.CharField(blank=True, max_length=500)),
                ('document_type', models.CharField(blank=True, max_length=40)),
                ('document_id', models.UUIDField(null=True)),
                ('document_line_id', models.UUIDField(null=True)),
                ('occurred_at', models.DateTimeField()),
                ('unit_cost', core.fields.MoneyField(decimal_places=6, max_digits=19, null=True)),
                ('idempotency_key', models.CharField(blank=True, max_length=100)),
                ('line', models.PositiveIntegerField(default=0)),
                ('actor_id', models.UUIDField(null=True)),
                ('api_key_id', models.UUIDField(null=True)),
                ('from_location', core.fields.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.location')),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('reason', core.fields.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.reasoncode')),
                ('reverses', core.fields.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.stockmove')),
                ('to_location', core.fields.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.location')),
                ('variant', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='moves', to='inventory.productvariant')),
            ],
        ),
        migrations.CreateModel(
            name='Supplier',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('archived_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('code', models.CharField(max_length=40)),
                ('code_key', core.fields.SearchKeyField(source='code')),
                ('currency', core.fields.CurrencyField(default='EUR', max_length=3)),
                ('lead_time_days', models.PositiveSmallIntegerField(default=0)),
                ('min_order_value', core.fields.MoneyField(decimal_places=6, default=0, max_digits=19)),
                ('incoterm', models.CharField(blank=True, max_length=3)),
                ('rating', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('status', models.CharField(choices=[('active', 'Active'), ('blocked', 'Blocked')], default='active', max_length=10)),
                ('external_ref', models.CharField(blank=True, max_length=100, null=True)),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('party', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.party')),
            ],
        ),
        migrations.CreateModel(
            name='ReorderRule',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('basis', models.CharField(choices=[('on_hand', 'On hand'), ('available', 'Available: not reserved, not in quarantine or scrap'), ('projected', 'Projected: available and incoming')], default='available', max_length=10)),
                ('min_quantity', core.fields.QuantityField(decimal_places=6, max_digits=19)),
                ('max_quantity', core.fields.QuantityField(blank=True, decimal_places=6, help_text='Order up to this level.', max_digits=19, null=True)),
                ('order_quantity', core.fields.QuantityField(blank=True, decimal_places=6, help_text='Order this much, whatever the level.', max_digits=19, null=True)),
                ('is_active', models.BooleanField(default=True)),
                ('level', core.fields.QuantityField(decimal_places=6, default=0, editable=False, max_digits=19)),
                ('is_low', models.GeneratedField(db_persist=True, expression=models.ExpressionWrapper(models.Q(('level__lte', models.F('min_quantity'))), models.BooleanField()), output_field=models.BooleanField())),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('variant', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='reorder_rules', to='inventory.productvariant')),
                ('preferred_supplier', core.fields.TenantForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.supplier')),
                ('warehouse', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.warehouse')),
            ],
            options={
                'permissions': [('run_reorder_check', 'Can run the reorder check')],
            },
        ),
        migrations.CreateModel(
            name='SupplierProduct',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('supplier_sku', models.CharField(max_length=64)),
                ('manufacturer_part_number', models.CharField(blank=True, max_length=64)),
                ('pack_size', core.fields.QuantityField(decimal_places=6, default=1, max_digits=19)),
                ('min_order_quantity', core.fields.QuantityField(decimal_places=6, default=0, max_digits=19)),
                ('order_multiple', core.fields.QuantityField(decimal_places=6, default=1, max_digits=19)),
                ('lead_time_days', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('last_price', core.fields.MoneyField(blank=True, decimal_places=6, max_digits=19, null=True)),
                ('is_preferred', models.BooleanField(default=False)),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('supplier', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='items', to='inventory.supplier')),
                ('variant', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='supplier_products', to='inventory.productvariant')),
            ],
        ),
        migrations.CreateModel(
            name='VehicleModel',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('make', models.CharField(max_length=60)),
                ('model', models.CharField(max_length=100)),
                ('model_key', core.fields.SearchKeyField(source='model')),
                ('year', models.PositiveSmallIntegerField()),
                ('engine', models.CharField(blank=True, max_length=60)),
                ('trim', models.CharField(blank=True, max_length=60)),
                ('vehicle_type', models.CharField(blank=True, max_length=40)),
                ('fuel', models.CharField(blank=True, max_length=20)),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
        ),
        migrations.CreateModel(
            name='StockItem',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('quantity', core.fields.QuantityField(decimal_places=6, default=0, editable=False, max_digits=19)),
                ('reserved', core.fields.QuantityField(decimal_places=6, default=0, editable=False, max_digits=19)),
                ('available', models.GeneratedField(db_persist=True, expression=django.db.models.expressions.CombinedExpression(models.F('quantity'), '-', models.F('reserved')), output_field=core.fields.QuantityField(decimal_places=6, max_digits=19))),
                ('may_be_short', models.BooleanField(default=False, editable=False)),
                ('location', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='stock_items', to='inventory.location')),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('variant', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='stock_items', to='inventory.productvariant')),
                ('warehouse', core.fields.TenantForeignKey(db_constraint=False, db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.warehouse')),
            ],
            options={
                'permissions': [('receive_stock', 'Can receive stock'), ('issue_stock', 'Can issue stock'), ('move_stock', 'Can move stock'), ('adjust_stock', 'Can adjust stock')],
            },
        ),
        migrations.CreateModel(
            name='ReorderTask',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('triggered_quantity', core.fields.QuantityField(decimal_places=6, editable=False, max_digits=19)),
                ('threshold', core.fields.QuantityField(decimal_places=6, editable=False, max_digits=19)),
                ('suggested_quantity', core.fields.QuantityField(decimal_places=6, max_digits=19)),
                ('status', models.CharField(choices=[('open', 'Open'), ('ordered', 'Ordered'), ('snoozed', 'Snoozed'), ('dismissed', 'Dismissed'), ('done', 'Done')], default='open', max_length=10)),
                ('due_on', models.DateField(blank=True, null=True)),
                ('closed_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('explanation', models.JSONField(editable=False)),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('rule', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='tasks', to='inventory.reorderrule')),
                ('variant', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.productvariant')),
                ('supplier', core.fields.TenantForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.supplier')),
                ('warehouse', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.warehouse')),
            ],
        ),
        migrations.AddIndex(
            model_name='category',
            index=models.Index(fields=['organization', 'name', 'id'], name='category_by_name'),
        ),
        migrations.AddIndex(
            model_name='category',
            index=models.Index(fields=['organization', 'name_key'], name='category_search'),
        ),
        migrations.AddConstraint(
            model_name='category',
            constraint=models.UniqueConstraint(fields=('organization', 'parent', 'slug'), name='category_slug_per_parent', nulls_distinct=False, violation_error_message='Another category has this slug under the same parent.'),
        ),
        migrations.AddConstraint(
            model_name='category',
            constraint=models.UniqueConstraint(fields=('organization', 'external_ref'), name='category_external_ref'),
        ),
        migrations.AddIndex(
            model_name='productvariant',
            index=models.Index(fields=['organization', 'product'], name='variant_by_product'),
        ),
        migrations.AddIndex(
            model_name='productvariant',
            index=models.Index(fields=['organization', 'name', 'id'], name='variant_by_name'),
        ),
        migrations.AddIndex(
            model_name='productvariant',
            index=models.Index(fields=['organization', 'sku_key'], name='variant_search_sku'),
        ),
        migrations.AddIndex(
            model_name='productvariant',
            index=models.Index(fields=['organization', 'name_key'], name='variant_search_name'),
        ),
        migrations.AddConstraint(
            model_name='productvariant',
            constraint=models.UniqueConstraint(fields=('organization', 'sku'), name='variant_sku_per_organization'),
        ),
        migrations.AddConstraint(
            model_name='productvariant',
            constraint=models.UniqueConstraint(fields=('organization', 'external_ref'), name='variant_external_ref'),
        ),
        migrations.AddConstraint(
            model_name='productvariant',
            constraint=models.CheckConstraint(condition=models.Q(('standard_cost__gte', 0)), name='variant_cost_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='productvariant',
            constraint=models.CheckConstraint(condition=models.Q(('weight__gte', 0), ('length__gte', 0), ('width__gte', 0), ('height__gte', 0)), name='variant_sizes_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='reasoncode',
            constraint=models.UniqueConstraint(fields=('organization', 'kind', 'code'), name='reason_code_once'),
        ),
        migrations.AddIndex(
            model_name='stockmove',
            index=models.Index(fields=['organization', 'variant', 'seq'], name='stock_move_by_variant'),
        ),
        migrations.AddIndex(
            model_name='stockmove',
            index=models.Index(fields=['organization', 'from_location', 'seq'], name='stock_move_by_from'),
        ),
        migrations.AddIndex(
            model_name='stockmove',
            index=models.Index(fields=['organization', 'to_location', 'seq'], name='stock_move_by_to'),
        ),
        migrations.AddIndex(
            model_name='stockmove',
            index=models.Index(fields=['organization', 'occurred_at', 'id'], name='stock_move_by_time'),
        ),
        migrations.AddIndex(
            model_name='stockmove',
            index=models.Index(fields=['organization', 'actor_id', 'occurred_at'], name='stock_move_by_actor'),
        ),
        migrations.AddIndex(
            model_name='stockmove',
            index=models.Index(fields=['organization', 'document_id'], name='stock_move_by_document'),
        ),
        migrations.AddIndex(
            model_name='stockmove',
            index=models.Index(fields=['organization', 'reason'], name='stock_move_by_reason'),
        ),
        migrations.AddIndex(
            model_name='stockmove',
            index=models.Index(fields=['organization', 'seq'], name='stock_move_by_seq'),
        ),
        migrations.AddConstraint(
            model_name='stockmove',
            constraint=models.UniqueConstraint(condition=models.Q(('idempotency_key', ''), _negated=True), fields=('organization', 'idempotency_key', 'line'), name='stock_move_once'),
        ),
        migrations.AddConstraint(
            model_name='stockmove',
            constraint=models.UniqueConstraint(fields=('organization', 'reverses'), name='stock_move_reversed_once', violation_error_message='This move is reversed already.'),
        ),
        migrations.AddConstraint(
            model_name='stockmove',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='stock_move_quantity_positive'),
        ),
        migrations.AddConstraint(
            model_name='stockmove',
            constraint=models.CheckConstraint(condition=models.Q(('from_location__isnull', False), ('to_location__isnull', False), _connector='OR'), name='stock_move_has_a_side'),
        ),
        migrations.AddConstraint(
            model_name='stockmove',
            constraint=models.CheckConstraint(condition=models.Q(('from_location__isnull', True), ('to_location__isnull', True), models.Q(('from_location', models.F('to_location')), _negated=True), _connector='OR'), name='stock_move_goes_somewhere', violation_error_message='The goods are there already.'),
        ),
        migrations.AddIndex(
            model_name='supplier',
            index=models.Index(fields=['organization', 'code_key'], name='supplier_search'),
        ),
        migrations.AddConstraint(
            model_name='supplier',
            constraint=models.UniqueConstraint(fields=('organization', 'code'), name='supplier_code_per_organization'),
        ),
        migrations.AddConstraint(
            model_name='supplier',
            constraint=models.UniqueConstraint(fields=('organization', 'party'), name='supplier_once_per_party'),
        ),
        migrations.AddConstraint(
            model_name='supplier',
            constraint=models.UniqueConstraint(fields=('organization', 'external_ref'), name='supplier_external_ref'),
        ),
        migrations.AddConstraint(
            model_name='supplier',
            constraint=models.CheckConstraint(condition=models.Q(('min_order_value__gte', 0)), name='supplier_min_order_not_negative'),
        ),
        migrations.AddIndex(
            model_name='supplierproduct',
            index=models.Index(fields=['organization', 'variant'], name='supplier_product_by_variant'),
        ),
        migrations.AddConstraint(
            model_name='supplierproduct',
            constraint=models.UniqueConstraint(fields=('organization', 'supplier', 'supplier_sku'), name='supplier_product_once'),
        ),
        migrations.AddConstraint(
            model_name='supplierproduct',
            constraint=models.UniqueConstraint(condition=models.Q(('is_preferred', True)), fields=('organization', 'variant'), name='supplier_product_one_preferred', violation_error_message='This variant has a preferred supplier already.'),
        ),
        migrations.AddConstraint(
            model_name='supplierproduct',
            constraint=models.CheckConstraint(condition=models.Q(('pack_size__gt', 0), ('order_multiple__gt', 0), ('min_order_quantity__gte', 0)), name='supplier_product_quantities_positive'),
        ),
        migrations.AddConstraint(
            model_name='unitofmeasure',
            constraint=models.UniqueConstraint(fields=('organization', 'code'), name='unit_code_per_organization'),
        ),
        migrations.AddConstraint(
            model_name='unitofmeasure',
            constraint=models.CheckConstraint(condition=models.Q(('factor__gt', 0)), name='unit_factor_positive'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['organization', 'name', 'id'], name='product_by_name'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['organization', 'name_key'], name='product_search'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['organization', 'category', 'id'], name='product_by_category'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['organization', 'manufacturer'], name='product_by_manufacturer'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['organization', 'base_unit'], name='product_by_base_unit'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['organization', 'status', 'id'], name='product_by_status'),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.UniqueConstraint(fields=('organization', 'external_ref'), name='product_external_ref'),
        ),
        migrations.AddIndex(
            model_name='vehiclemodel',
            index=models.Index(fields=['organization', 'model_key'], name='vehicle_model_search'),
        ),
        migrations.AddConstraint(
            model_name='vehiclemodel',
            constraint=models.UniqueConstraint(fields=('organization', 'make', 'model', 'year', 'engine', 'trim'), name='vehicle_model_once', violation_error_message='This vehicle model is there already.'),
        ),
        migrations.AddIndex(
            model_name='warehouse',
            index=models.Index(fields=['organization', 'address'], name='warehouse_by_address'),
        ),
        migrations.AddIndex(
            model_name='warehouse',
            index=models.Index(fields=['organization', 'code_key'], name='warehouse_search'),
        ),
        migrations.AddConstraint(
            model_name='warehouse',
            constraint=models.UniqueConstraint(fields=('organization', 'code'), name='warehouse_code_per_organization'),
        ),
        migrations.AddConstraint(
            model_name='warehouse',
            constraint=models.UniqueConstraint(fields=('organization', 'external_ref'), name='warehouse_external_ref'),
        ),
        migrations.AddIndex(
            model_name='stockitem',
            index=models.Index(fields=['organization', 'location'], name='stock_item_by_location'),
        ),
        migrations.AddIndex(
            model_name='stockitem',
            index=models.Index(fields=['organization', 'warehouse', 'variant'], name='stock_item_by_warehouse'),
        ),
        migrations.AddConstraint(
            model_name='stockitem',
            constraint=models.UniqueConstraint(fields=('organization', 'variant', 'location'), name='stock_item_once'),
        ),
        migrations.AddConstraint(
            model_name='stockitem',
            constraint=models.CheckConstraint(condition=models.Q(('reserved__gte', 0)), name='stock_reserved_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='stockitem',
            constraint=models.CheckConstraint(condition=models.Q(('may_be_short', True), ('quantity__gte', models.F('reserved')), _connector='OR'), name='stock_covers_reservations', violation_error_message='There is not enough stock.'),
        ),
        migrations.AddIndex(
            model_name='reordertask',
            index=models.Index(fields=['organization', 'status', 'id'], name='reorder_task_by_status'),
        ),
        migrations.AddIndex(
            model_name='reordertask',
            index=models.Index(fields=['organization', 'rule'], name='reorder_task_by_rule'),
        ),
        migrations.AddIndex(
            model_name='reordertask',
            index=models.Index(fields=['organization', 'variant'], name='reorder_task_by_variant'),
        ),
        migrations.AddIndex(
            model_name='reordertask',
            index=models.Index(fields=['organization', 'warehouse'], name='reorder_task_by_warehouse'),
        ),
        migrations.AddIndex(
            model_name='reordertask',
            index=models.Index(fields=['organization', 'supplier'], name='reorder_task_by_supplier'),
        ),
        migrations.AddConstraint(
            model_name='reordertask',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ['open', 'ordered', 'snoozed'])), fields=('organization', 'rule'), name='reorder_task_one_unfinished'),
        ),
        migrations.AddIndex(
            model_name='reorderrule',
            index=models.Index(fields=['organization', 'warehouse'], name='reorder_rule_by_warehouse'),
        ),
        migrations.AddIndex(
            model_name='reorderrule',
            index=models.Index(fields=['organization', 'preferred_supplier'], name='reorder_rule_by_supplier'),
        ),
        migrations.AddIndex(
            model_name='reorderrule',
            index=models.Index(condition=models.Q(('is_active', True), ('is_low', True)), fields=['organization', 'id'], name='reorder_rule_low'),
        ),
        migrations.AddConstraint(
            model_name='reorderrule',
            constraint=models.UniqueConstraint(fields=('organization', 'variant', 'warehouse'), name='reorder_rule_once'),
        ),
        migrations.AddConstraint(
            model_name='reorderrule',
            constraint=models.CheckConstraint(condition=models.Q(('min_quantity__gte', 0)), name='reorder_rule_min_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='reorderrule',
            constraint=models.CheckConstraint(condition=models.Q(('max_quantity__isnull', True), ('max_quantity__gt', models.F('min_quantity')), _connector='OR'), name='reorder_rule_max_above_min', violation_error_message='The maximum must be above the minimum.'),
        ),
        migrations.AddConstraint(
            model_name='reorderrule',
            constraint=models.CheckConstraint(condition=models.Q(('order_quantity__isnull', True), ('order_quantity__gt', 0), _connector='OR'), name='reorder_rule_order_positive'),
        ),
        migrations.AddIndex(
            model_name='location',
            index=models.Index(fields=['organization', 'parent'], name='location_by_parent'),
        ),
        migrations.AddIndex(
            model_name='location',
            index=models.Index(fields=['organization', 'code_key'], name='location_search'),
        ),
        migrations.AddConstraint(
            model_name='location',
            constraint=models.UniqueConstraint(fields=('organization', 'warehouse', 'code'), name='location_code_per_warehouse'),
        ),
    ]
