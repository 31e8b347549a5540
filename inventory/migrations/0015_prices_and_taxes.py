import core.fields
import core.tenancy
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.db import migrations, models

# What founding gives to a new organization, for those that are here already.
CATEGORIES = """
    INSERT INTO inventory_taxcategory (id, organization_id, code, name, is_taxed)
    SELECT gen_random_uuid(), o.id, found.code, found.name, found.is_taxed
    FROM accounts_organization AS o, (VALUES
        ('standard', 'Standard rate', true), ('reduced', 'Reduced rate', true), ('zero', 'Zero-rated', false), ('exempt', 'Exempt', false)
    ) AS found(code, name, is_taxed)
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0011_admin_look'),
        ('inventory', '0014_search'),
    ]

    operations = [
        migrations.CreateModel(
            name='TaxCategory',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('code', models.SlugField(db_index=False, max_length=40)),
                ('name', models.CharField(max_length=100)),
                ('name_key', core.fields.SearchKeyField(source='name')),
                ('is_taxed', models.BooleanField(default=True, help_text='If not, no tax is due anywhere and no rate is looked for.', verbose_name='taxed')),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'verbose_name_plural': 'tax categories',
                'indexes': [models.Index(fields=['organization', 'name_key'], name='tax_category_search')],
                'constraints': [models.UniqueConstraint(fields=('organization', 'code'), name='tax_category_code_per_organization')],
            },
        ),
        migrations.RunSQL(CATEGORIES, migrations.RunSQL.noop),
        migrations.CreateModel(
            name='TaxRate',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('country', models.CharField(max_length=2, validators=[django.core.validators.RegexValidator('^[A-Z]{2}$', 'Two capital letters, by ISO 3166: PT, US.')])),
                ('region', models.CharField(blank=True, help_text='As in addresses, whatever its case; empty: all others.', max_length=100)),
                ('region_key', core.fields.SearchKeyField(source='region')),
                ('rate', models.DecimalField(decimal_places=4, help_text='In percent.', max_digits=7, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100)])),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(blank=True, help_text='The last day; empty: until further notice.', null=True)),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('tax_category', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='rates', to='inventory.taxcategory')),
            ],
            options={
                'indexes': [models.Index(fields=['organization', 'tax_category', 'valid_from'], name='tax_rate_by_category'), models.Index(fields=['organization', 'country', 'region_key'], name='tax_rate_by_place')],
                'constraints': [models.CheckConstraint(condition=models.Q(('rate__gte', 0), ('rate__lte', 100)), name='tax_rate_is_a_percentage', violation_error_message='From 0 to 100 percent.'), models.CheckConstraint(condition=models.Q(('valid_to__isnull', True), ('valid_to__gte', models.F('valid_from')), _connector='OR'), name='tax_rate_ends_after_it_begins', violation_error_message='The last day is before the first.')],
            },
        ),
        migrations.CreateModel(
            name='PriceList',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('sale', 'Sale'), ('purchase', 'Purchase')], default='sale', max_length=8)),
                ('code', models.CharField(max_length=40)),
                ('code_key', core.fields.SearchKeyField(source='code')),
                ('name', models.CharField(max_length=100)),
                ('name_key', core.fields.SearchKeyField(source='name')),
                ('currency', core.fields.CurrencyField(max_length=3, validators=[django.core.validators.RegexValidator('^[A-Z]{3}\\Z', 'Three capital letters, by ISO 4217: EUR, USD.')])),
                ('priority', models.IntegerField(default=0, help_text='Of lists that both count, the higher one decides.')),
                ('includes_tax', models.BooleanField(default=False)),
                ('valid_from', models.DateField(blank=True, null=True)),
                ('valid_to', models.DateField(blank=True, help_text='The last day; empty: until further notice.', null=True)),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('party', core.fields.TenantForeignKey(blank=True, db_constraint=False, db_index=False, help_text='The customer or supplier; empty: everybody.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.party')),
            ],
            options={
                'indexes': [models.Index(fields=['organization', 'kind', 'id'], name='price_list_by_kind'), models.Index(fields=['organization', 'party', 'kind'], name='price_list_by_party'), models.Index(fields=['organization', 'code_key'], name='price_list_search_code'), models.Index(fields=['organization', 'name_key'], name='price_list_search_name')],
                'constraints': [models.UniqueConstraint(fields=('organization', 'code'), name='price_list_code_per_organization'), models.CheckConstraint(condition=models.Q(('valid_from__isnull', True), ('valid_to__isnull', True), ('valid_to__gte', models.F('valid_from')), _connector='OR'), name='price_list_ends_after_it_begins', violation_error_message='The last day is before the first.')],
            },
        ),
        migrations.CreateModel(
            name='PriceListItem',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('min_quantity', core.fields.QuantityField(decimal_places=6, default=0, help_text='It counts from this quantity on, for the whole of it.', max_digits=19)),
                ('price', core.fields.MoneyField(decimal_places=6, help_text="For one base unit, in the list's currency.", max_digits=19)),
                ('valid_from', models.DateField(blank=True, null=True)),
                ('valid_to', models.DateField(blank=True, help_text='The last day; empty: as long as the list.', null=True)),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('price_list', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='items', to='inventory.pricelist')),
                ('variant', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='prices', to='inventory.productvariant')),
            ],
            options={
                'indexes': [models.Index(fields=['organization', 'variant', 'price_list'], name='price_item_by_variant')],
                'constraints': [models.UniqueConstraint(fields=('organization', 'price_list', 'variant', 'min_quantity', 'valid_from'), name='price_item_once', nulls_distinct=False, violation_error_message='The list has a price from this quantity and day on.'), models.CheckConstraint(condition=models.Q(('min_quantity__gte', 0), ('price__gte', 0)), name='price_item_not_negative', violation_error_message='Neither a price nor a quantity is below zero.'), models.CheckConstraint(condition=models.Q(('valid_from__isnull', True), ('valid_to__isnull', True), ('valid_to__gte', models.F('valid_from')), _connector='OR'), name='price_item_ends_after_it_begins', violation_error_message='The last day is before the first.')],
            },
        ),
    ]
