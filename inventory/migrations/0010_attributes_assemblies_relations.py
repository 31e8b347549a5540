import core.fields
import core.tenancy
import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0011_admin_look'),
        ('inventory', '0009_valuation'),
    ]

    operations = [
        migrations.AddField(
            model_name='productvariant',
            name='axis_key',
            field=models.CharField(editable=False, max_length=64, null=True),
        ),
        migrations.AddField(
            model_name='productvariant',
            name='is_kit',
            field=models.BooleanField(db_default=False, default=False, help_text='Not stocked itself: what its bill of materials lists leaves in its place.'),
        ),
        migrations.AddField(
            model_name='unitofmeasure',
            name='divisor',
            field=models.PositiveBigIntegerField(db_default=1, default=1, help_text='Divides the factor, where six decimals do not say it exactly.'),
        ),
        migrations.AddField(
            model_name='unitofmeasure',
            name='symbol',
            field=models.CharField(blank=True, db_default='', default='', help_text='As people write it: kg, GB.', max_length=16),
        ),
        migrations.AlterField(
            model_name='unitofmeasure',
            name='dimension',
            field=models.CharField(choices=[('count', 'Count'), ('none', 'None: converts to nothing else'), ('mass', 'Mass'), ('length', 'Length'), ('area', 'Area'), ('volume', 'Volume'), ('time', 'Time'), ('data', 'Data'), ('voltage', 'Voltage'), ('current', 'Electric current'), ('charge', 'Electric charge'), ('power', 'Power'), ('energy', 'Energy'), ('force', 'Force'), ('torque', 'Torque'), ('pressure', 'Pressure'), ('rate', 'Frequency')], default='count', max_length=8),
        ),
        migrations.AlterField(
            model_name='unitofmeasure',
            name='factor',
            field=core.fields.QuantityField(decimal_places=6, default=1, help_text="How many of the dimension's base unit one of these is, before the divisor.", max_digits=19),
        ),
        AddConstraintNotValid(
            model_name='unitofmeasure',
            constraint=models.CheckConstraint(condition=models.Q(('divisor__gt', 0)), name='unit_divisor_positive'),
        ),
        migrations.CreateModel(
            name='AttributeDefinition',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('code', models.CharField(help_text='Its name for programs and filters.', max_length=40, validators=[django.core.validators.RegexValidator('^[a-z](?:_?[a-z0-9])*\\Z', 'Small letters, digits and single underscores, a letter first: storage.')])),
                ('name', models.CharField(max_length=100)),
                ('data_type', models.CharField(choices=[('text', 'Text'), ('choice', 'Choice'), ('integer', 'Whole number'), ('decimal', 'Number'), ('measure', 'Measure: a number with a unit'), ('boolean', 'Yes or no'), ('date', 'Date')], default='text', max_length=8)),
                ('options', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, help_text='Of a choice.', size=200)),
                ('is_variant_axis', models.BooleanField(default=False, help_text='Tells the variants of a product apart: no two of them have the same values on all axes.')),
                ('is_filterable', models.BooleanField(default=True, help_text='Lists can be filtered by it.')),
                ('position', models.PositiveSmallIntegerField(default=0, help_text='Lower ones are shown first.')),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('unit', core.fields.TenantForeignKey(blank=True, db_constraint=False, db_index=False, help_text='Of a measure: the unit of values that name none. Others of its dimension are converted.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.unitofmeasure')),
            ],
            options={
                'verbose_name': 'attribute',
                'indexes': [
                    models.Index(fields=['organization', 'unit'], name='attribute_by_unit'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('organization', 'code'), name='attribute_code_per_organization'),
                    models.CheckConstraint(condition=models.Q(models.Q(('data_type', 'measure'), ('unit__isnull', False)), models.Q(models.Q(('data_type', 'measure'), _negated=True), ('unit__isnull', True)), _connector='OR'), name='attribute_unit', violation_error_message='A measure has a unit, and no other type has.'),
                    models.CheckConstraint(condition=models.Q(models.Q(('data_type', 'choice'), ('options__len__gt', 0)), models.Q(models.Q(('data_type', 'choice'), _negated=True), ('options', [])), _connector='OR'), name='attribute_options', violation_error_message='A choice has options, and no other type has.'),
                ],
            },
        ),
        migrations.CreateModel(
            name='ProductAttributeValue',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('value_text', models.CharField(blank=True, max_length=400, null=True, verbose_name='text')),
                ('value_number', core.fields.QuantityField(blank=True, decimal_places=6, max_digits=19, null=True, verbose_name='number')),
                ('value_boolean', models.BooleanField(blank=True, null=True, verbose_name='yes or no')),
                ('value_date', models.DateField(blank=True, null=True, verbose_name='date')),
                ('key', models.CharField(db_collation='C', editable=False, max_length=800, null=True)),
                ('definition', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='values', to='inventory.attributedefinition', verbose_name='attribute')),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('product', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='attribute_values', to='inventory.product')),
                ('unit', core.fields.TenantForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.unitofmeasure')),
                ('variant', core.fields.TenantForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='attribute_values', to='inventory.productvariant')),
            ],
            options={
                'verbose_name': 'attribute value',
                'indexes': [
                    models.Index(fields=['organization', 'variant', 'definition'], name='attribute_value_by_variant'),
                    models.Index(fields=['organization', 'definition', 'key'], include=('variant', 'product'), name='attribute_value_by_key'),
                    models.Index(fields=['organization', 'unit'], name='attribute_value_by_unit'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('organization', 'product', 'variant', 'definition'), name='attribute_value_once', nulls_distinct=False, violation_error_message='There is a value of this attribute already.'),
                    models.CheckConstraint(condition=models.Q(models.Q(('value_boolean__isnull', True), ('value_date__isnull', True), ('value_number__isnull', True), ('value_text__isnull', False)), models.Q(('value_boolean__isnull', True), ('value_date__isnull', True), ('value_number__isnull', False), ('value_text__isnull', True)), models.Q(('value_boolean__isnull', False), ('value_date__isnull', True), ('value_number__isnull', True), ('value_text__isnull', True)), models.Q(('value_boolean__isnull', True), ('value_date__isnull', False), ('value_number__isnull', True), ('value_text__isnull', True)), _connector='OR'), name='attribute_value_one_column', violation_error_message='Give exactly one value.'),
                    models.CheckConstraint(condition=models.Q(('value_text__isnull', True), models.Q(('value_text', ''), _negated=True), _connector='OR'), name='attribute_value_not_empty', violation_error_message='This may not be empty: delete the value instead.'),
                    models.CheckConstraint(condition=models.Q(('unit__isnull', True), ('value_number__isnull', False), _connector='OR'), name='attribute_value_unit', violation_error_message='Only a number has a unit.'),
                ],
            },
        ),
        migrations.CreateModel(
            name='BomLine',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('quantity', core.fields.QuantityField(decimal_places=6, help_text="For one of the assembly, in the component's base unit.", max_digits=19)),
                ('scrap_percent', models.DecimalField(decimal_places=2, default=0, help_text='Lost in the making: 5 takes 1.05 for each 1.', max_digits=5)),
                ('is_optional', models.BooleanField(default=False, help_text='Not counted unless somebody asks for it.')),
                ('position', models.PositiveSmallIntegerField(default=0, help_text='Lower ones are shown first.')),
                ('note', models.CharField(blank=True, max_length=200)),
                ('assembly', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='bom_lines', to='inventory.productvariant')),
                ('component', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.productvariant')),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'verbose_name': 'bill of materials line',
                'indexes': [
                    models.Index(fields=['organization', 'component'], name='bom_line_by_component'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('organization', 'assembly', 'component'), name='bom_line_once', violation_error_message='This component is in the bill of materials already.'),
                    models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='bom_line_quantity_positive', violation_error_message='The quantity must be more than 0.'),
                    models.CheckConstraint(condition=models.Q(('scrap_percent__gte', 0)), name='bom_line_scrap_not_negative', violation_error_message='The scrap cannot be less than 0 percent.'),
                ],
            },
        ),
        migrations.CreateModel(
            name='ProductRelation',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField(db_default=1, editable=False)),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('supersedes', 'supersedes'), ('alternative', 'is an alternative to'), ('accessory', 'is an accessory of')], max_length=11)),
                ('valid_from', models.DateField(blank=True, help_text='Counts from this day on; empty: always.', null=True)),
                ('note', models.CharField(blank=True, max_length=200)),
                ('from_variant', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='relations', to='inventory.productvariant')),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('to_variant', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.productvariant')),
            ],
            options={
                'verbose_name': 'product relation',
                'indexes': [
                    models.Index(fields=['organization', 'to_variant', 'kind'], name='product_relation_by_target'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('organization', 'from_variant', 'to_variant', 'kind'), name='product_relation_once', violation_error_message='This relation is there already.'),
                    models.UniqueConstraint(condition=models.Q(('kind', 'supersedes')), fields=('organization', 'to_variant'), name='product_relation_one_successor', violation_error_message='This part is superseded already: let the newest part supersede its successor.'),
                    models.CheckConstraint(condition=models.Q(('from_variant', models.F('to_variant')), _negated=True), name='product_relation_of_two', violation_error_message='A part is not related to itself.'),
                ],
            },
        ),
    ]
