import core.custom_fields
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
        ('accounts', '0014_one_primary_picture'),
        ('inventory', '0029_capacity_policy'),
    ]

    operations = [
        migrations.CreateModel(
            name='Channel',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('code', models.CharField(max_length=40)),
                ('code_key', core.fields.SearchKeyField(source='code')),
                ('name', models.CharField(max_length=100)),
                ('name_key', core.fields.SearchKeyField(source='name')),
                ('currency', core.fields.CurrencyField(max_length=3, validators=[django.core.validators.RegexValidator('^[A-Z]{3}\\Z', 'Three capital letters, by ISO 4217: EUR, USD.')])),
                ('reservation_minutes', models.PositiveIntegerField(blank=True, help_text='How long an order that is not confirmed holds its goods. Empty: until it is canceled.', null=True, validators=[django.core.validators.MinValueValidator(1)])),
                ('backorders', models.BooleanField(default=False, help_text='What is short waits for goods.', verbose_name='takes back-orders')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('warehouse', core.fields.TenantForeignKey(db_constraint=False, db_index=False, help_text='Its goods are promised first.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.warehouse')),
            ],
        ),
        migrations.CreateModel(
            name='Customer',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('archived_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('custom_fields', core.custom_fields.CustomFieldsField()),
                ('code', models.CharField(max_length=40)),
                ('code_key', core.fields.SearchKeyField(source='code')),
                ('credit_limit', core.fields.MoneyField(blank=True, decimal_places=6, help_text="Of orders that are not paid, in the organization's currency. Empty: no limit.", max_digits=19, null=True, validators=[django.core.validators.MinValueValidator(0)])),
                ('tax_exempt', models.BooleanField(default=False)),
                ('status', models.CharField(choices=[('active', 'Active'), ('blocked', 'Blocked')], default='active', max_length=10)),
                ('user_id', models.UUIDField(blank=True, editable=False, help_text='The member who signs in as this customer.', null=True)),
                ('external_ref', models.CharField(blank=True, max_length=100, null=True, verbose_name='external reference')),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('party', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.party')),
                ('price_list', core.fields.TenantForeignKey(blank=True, db_constraint=False, db_index=False, help_text='Comes before all others.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.pricelist')),
            ],
        ),
        migrations.CreateModel(
            name='SalesOrder',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('custom_fields', core.custom_fields.CustomFieldsField()),
                ('number', models.CharField(editable=False, help_text='Given as it is placed.', max_length=40, null=True)),
                ('number_key', core.fields.SearchKeyField(source='number')),
                ('email', models.EmailField(blank=True, help_text='Where news of the order go.', max_length=254, validators=[django.core.validators.EmailValidator()])),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('placed', 'Placed'), ('confirmed', 'Confirmed'), ('allocated', 'Allocated'), ('picking', 'Picking'), ('packed', 'Packed'), ('shipped', 'Shipped'), ('delivered', 'Delivered'), ('completed', 'Completed'), ('on_hold', 'On hold'), ('cancelled', 'Cancelled'), ('error', 'Error')], default='draft', editable=False, max_length=10)),
                ('held_from', models.CharField(blank=True, editable=False, help_text='The status to which it goes back.', max_length=10)),
                ('payment_status', models.CharField(choices=[('unpaid', 'Unpaid'), ('authorized', 'Authorized'), ('partly_paid', 'Partly paid'), ('paid', 'Paid'), ('refunded', 'Refunded')], default='unpaid', editable=False, max_length=12)),
                ('fulfilment_status', models.CharField(choices=[('not_started', 'Not started'), ('warehouse_notified', 'Warehouse notified'), ('packed', 'Packed'), ('delivery_notified', 'Delivery service notified'), ('partly_shipped', 'Partly shipped'), ('shipped', 'Shipped'), ('delivered', 'Delivered')], default='not_started', editable=False, max_length=20)),
                ('currency', core.fields.CurrencyField(max_length=3, validators=[django.core.validators.RegexValidator('^[A-Z]{3}\\Z', 'Three capital letters, by ISO 4217: EUR, USD.')])),
                ('shipping_address', models.JSONField(blank=True, default=dict)),
                ('billing_address', models.JSONField(blank=True, default=dict)),
                ('requested_on', models.DateField(blank=True, null=True, verbose_name='wanted by')),
                ('note', models.CharField(blank=True, max_length=500)),
                ('net_total', core.fields.MoneyField(decimal_places=6, default=0, editable=False, max_digits=19)),
                ('tax_total', core.fields.MoneyField(decimal_places=6, default=0, editable=False, max_digits=19)),
                ('total', core.fields.MoneyField(decimal_places=6, default=0, editable=False, help_text='With tax, shipping and discounts.', max_digits=19)),
                ('revision', models.PositiveIntegerField(default=0, editable=False, help_text='How often its lines were replaced.')),
                ('error_code', models.CharField(blank=True, editable=False, max_length=40)),
                ('placed_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('packed_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('shipped_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('delivered_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('closed_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('external_ref', models.CharField(blank=True, max_length=100, null=True, verbose_name='external reference')),
                ('channel', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.channel')),
                ('customer', core.fields.TenantForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='orders', to='orders.customer')),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('warehouse', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.warehouse')),
            ],
            options={
                'permissions': [('place_salesorder', 'Can place sales orders, which reserves the goods'), ('cancel_salesorder', 'Can cancel sales orders'), ('hold_salesorder', 'Can hold sales orders, and release them'), ('fulfil_salesorder', 'Can say that sales orders are packed, shipped and delivered')],
            },
        ),
        migrations.CreateModel(
            name='OrderAdjustment',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('discount', 'Discount'), ('surcharge', 'Surcharge'), ('shipping', 'Shipping'), ('rounding', 'Rounding')], max_length=9)),
                ('label', models.CharField(max_length=200)),
                ('net_amount', core.fields.MoneyField(decimal_places=6, help_text='Less than 0 where it is taken off.', max_digits=19)),
                ('tax_rate', models.DecimalField(decimal_places=4, default=0, help_text='Per cent.', max_digits=7)),
                ('tax_amount', core.fields.MoneyField(decimal_places=6, default=0, max_digits=19)),
                ('source_type', models.CharField(blank=True, max_length=40)),
                ('source_id', models.UUIDField(blank=True, null=True)),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('order', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='adjustments', to='orders.salesorder')),
            ],
        ),
        migrations.CreateModel(
            name='SalesOrderItem',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('line', models.PositiveIntegerField(default=0)),
                ('sku', models.CharField(editable=False, max_length=64, verbose_name='SKU')),
                ('name', models.CharField(editable=False, max_length=400)),
                ('quantity', core.fields.QuantityField(decimal_places=6, max_digits=19)),
                ('unit_price', core.fields.MoneyField(decimal_places=6, help_text='Of one base unit.', max_digits=19)),
                ('discount', core.fields.MoneyField(decimal_places=6, default=0, help_text='Off the whole line.', max_digits=19)),
                ('includes_tax', models.BooleanField(default=False, help_text='Whether the price has the tax in it.')),
                ('tax_rate', models.DecimalField(decimal_places=4, default=0, help_text='Per cent.', max_digits=7)),
                ('net_amount', core.fields.MoneyField(decimal_places=6, default=0, max_digits=19)),
                ('tax_amount', core.fields.MoneyField(decimal_places=6, default=0, max_digits=19)),
                ('price_reason', models.CharField(blank=True, help_text='Why it costs that.', max_length=300)),
                ('backorder_policy', models.CharField(choices=[('channel', 'As the channel says'), ('refuse', 'Not without goods'), ('wait', 'Waits for goods')], default='channel', max_length=7)),
                ('allocated_quantity', core.fields.QuantityField(decimal_places=6, default=0, max_digits=19, verbose_name='allocated')),
                ('picked_quantity', core.fields.QuantityField(decimal_places=6, default=0, max_digits=19, verbose_name='picked')),
                ('shipped_quantity', core.fields.QuantityField(decimal_places=6, default=0, max_digits=19, verbose_name='shipped')),
                ('returned_quantity', core.fields.QuantityField(decimal_places=6, default=0, max_digits=19, verbose_name='returned')),
                ('cancelled_quantity', core.fields.QuantityField(decimal_places=6, default=0, max_digits=19, verbose_name='canceled')),
                ('invoiced_quantity', core.fields.QuantityField(decimal_places=6, default=0, max_digits=19, verbose_name='invoiced')),
                ('order', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='orders.salesorder')),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('variant', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.productvariant')),
                ('vehicle_model', core.fields.TenantForeignKey(blank=True, db_constraint=False, db_index=False, help_text='What it shall fit.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.vehiclemodel')),
            ],
        ),
        migrations.AddIndex(
            model_name='channel',
            index=models.Index(fields=['organization', 'code_key'], name='channel_search_code'),
        ),
        migrations.AddIndex(
            model_name='channel',
            index=models.Index(fields=['organization', 'name_key'], name='channel_search_name'),
        ),
        migrations.AddIndex(
            model_name='channel',
            index=models.Index(fields=['organization', 'warehouse'], name='channel_by_warehouse'),
        ),
        migrations.AddConstraint(
            model_name='channel',
            constraint=models.UniqueConstraint(fields=('organization', 'code'), name='channel_code_per_organization'),
        ),
        migrations.AddConstraint(
            model_name='channel',
            constraint=models.CheckConstraint(condition=models.Q(('reservation_minutes__isnull', True), models.Q(('reservation_minutes__gte', 1), ('reservation_minutes__lte', 5256000)), _connector='OR'), name='channel_reservation_minutes', violation_error_message='From one minute to ten years.'),
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(fields=['organization', 'code_key'], name='customer_search'),
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(fields=['organization', 'price_list'], name='customer_by_price_list'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.UniqueConstraint(fields=('organization', 'code'), name='customer_code_per_organization'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.UniqueConstraint(fields=('organization', 'party'), name='customer_once_per_party'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.UniqueConstraint(fields=('organization', 'user_id'), name='customer_once_per_user', violation_error_message='This person signs in as another customer.'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.UniqueConstraint(fields=('organization', 'external_ref'), name='customer_external_ref'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(('credit_limit__isnull', True), ('credit_limit__gte', 0), _connector='OR'), name='customer_credit_limit_not_negative'),
        ),
        migrations.AddIndex(
            model_name='salesorder',
            index=models.Index(fields=['organization', 'number_key'], name='sales_order_search'),
        ),
        migrations.AddIndex(
            model_name='salesorder',
            index=models.Index(fields=['organization', 'status', 'id'], name='sales_order_by_status'),
        ),
        migrations.AddIndex(
            model_name='salesorder',
            index=models.Index(fields=['organization', 'customer', '-placed_at'], name='sales_order_by_customer'),
        ),
        migrations.AddIndex(
            model_name='salesorder',
            index=models.Index(fields=['organization', 'placed_at', 'id'], name='sales_order_by_time'),
        ),
        migrations.AddIndex(
            model_name='salesorder',
            index=models.Index(fields=['organization', 'channel', 'id'], name='sales_order_by_channel'),
        ),
        migrations.AddIndex(
            model_name='salesorder',
            index=models.Index(fields=['organization', 'warehouse', 'id'], name='sales_order_by_warehouse'),
        ),
        migrations.AddConstraint(
            model_name='salesorder',
            constraint=models.UniqueConstraint(fields=('organization', 'number'), name='sales_order_number'),
        ),
        migrations.AddConstraint(
            model_name='salesorder',
            constraint=models.UniqueConstraint(fields=('organization', 'external_ref'), name='sales_order_external_ref'),
        ),
        migrations.AddConstraint(
            model_name='salesorder',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['draft', 'cancelled']), ('number__isnull', False), _connector='OR'), name='sales_order_placed_has_number'),
        ),
        migrations.AddIndex(
            model_name='orderadjustment',
            index=models.Index(fields=['organization', 'order'], name='order_adjustment_by_order'),
        ),
        migrations.AddConstraint(
            model_name='orderadjustment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'discount'), ('net_amount__lte', 0)), models.Q(('kind__in', ['surcharge', 'shipping']), ('net_amount__gte', 0)), ('kind', 'rounding'), _connector='OR'), name='order_adjustment_sign', violation_error_message='A discount takes off, shipping and surcharges add.'),
        ),
        migrations.AddIndex(
            model_name='salesorderitem',
            index=models.Index(fields=['organization', 'variant', 'order'], name='sales_order_item_by_variant'),
        ),
        migrations.AddIndex(
            model_name='salesorderitem',
            index=models.Index(fields=['organization', 'vehicle_model'], name='sales_order_item_by_vehicle'),
        ),
        migrations.AddConstraint(
            model_name='salesorderitem',
            constraint=models.UniqueConstraint(fields=('organization', 'order', 'line'), name='sales_order_item_once'),
        ),
        migrations.AddConstraint(
            model_name='salesorderitem',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='sales_order_item_quantity_positive'),
        ),
        migrations.AddConstraint(
            model_name='salesorderitem',
            constraint=models.CheckConstraint(condition=models.Q(('cancelled_quantity__gte', 0), ('discount__gte', 0), ('invoiced_quantity__gte', 0), ('returned_quantity__gte', 0), ('tax_rate__gte', 0), ('unit_price__gte', 0)), name='sales_order_item_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='salesorderitem',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gte', django.db.models.expressions.CombinedExpression(models.F('allocated_quantity'), '+', models.F('cancelled_quantity'))), ('allocated_quantity__gte', models.F('picked_quantity')), ('picked_quantity__gte', models.F('shipped_quantity')), ('shipped_quantity__gte', models.F('returned_quantity'))), name='sales_order_item_in_order', violation_error_message='Ordered, allocated, picked, shipped, returned: none is more than the one before.'),
        ),
        migrations.AddConstraint(
            model_name='salesorderitem',
            constraint=models.CheckConstraint(condition=models.Q(('invoiced_quantity__lte', models.F('quantity'))), name='sales_order_item_invoices_what_is_ordered'),
        ),
    ]
