import core.fields
import core.tenancy
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0014_one_primary_picture'),
        ('inventory', '0024_stock_counts'),
    ]

    operations = [
        migrations.CreateModel(
            name='DemandForecast',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('period_start', models.DateField()),
                ('method', models.CharField(choices=[('average', 'Moving average'), ('smoothing', 'Exponential smoothing'), ('croston', 'Croston, for slow movers')], max_length=9)),
                ('quantity', core.fields.QuantityField(decimal_places=6, max_digits=19)),
                ('low', core.fields.QuantityField(decimal_places=6, help_text='In nine of ten weeks the demand is more than this.', max_digits=19)),
                ('high', core.fields.QuantityField(decimal_places=6, help_text='In nine of ten weeks the demand is less than this.', max_digits=19)),
                ('error', core.fields.QuantityField(decimal_places=6, help_text='Root mean square of what the method was wrong by, in units a week.', max_digits=19, null=True)),
                ('method_errors', models.JSONField(help_text='The error of each method.')),
                ('weeks', models.PositiveSmallIntegerField(help_text="How many weeks' demand it was made of.")),
                ('actual', core.fields.QuantityField(decimal_places=6, help_text='What the demand was, once the week is over.', max_digits=19, null=True)),
                ('computed_at', models.DateTimeField()),
                ('organization', models.ForeignKey(db_index=False, default=core.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('variant', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.productvariant')),
                ('warehouse', core.fields.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.warehouse')),
            ],
            options={
                'permissions': [('run_demandforecast', 'Can compute demand forecasts')],
                'indexes': [
                    models.Index(fields=['organization', 'warehouse', 'id'], name='demand_forecast_by_warehouse'),
                    models.Index(fields=['organization', 'period_start', 'id'], name='demand_forecast_by_period'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('organization', 'variant', 'warehouse', 'period_start'), name='demand_forecast_once'),
                ],
            },
        ),
        migrations.AlterModelOptions(
            name='reordertask',
            options={'permissions': [('order_reordertask', 'Can order what reorder tasks suggest')]},
        ),
        migrations.AddField(
            model_name='reorderrule',
            name='cover_days',
            field=models.PositiveSmallIntegerField(blank=True, help_text="By forecast: how many days' demand to order; the maximum is computed.", null=True),
        ),
        migrations.AddField(
            model_name='reorderrule',
            name='explanation',
            field=models.JSONField(editable=False, help_text='By forecast: what the minimum was computed from.', null=True),
        ),
        migrations.AddField(
            model_name='reorderrule',
            name='lead_time_days',
            field=models.PositiveSmallIntegerField(blank=True, help_text='From the order to the shelf. Empty: as the supplier says.', null=True),
        ),
        migrations.AddField(
            model_name='reorderrule',
            name='method',
            field=models.CharField(choices=[('fixed', 'Fixed: as it is written here'), ('forecast', 'By forecast: the demand of the lead time, and safety stock')], db_default='fixed', default='fixed', help_text='Where it comes from.', max_length=8, verbose_name='minimum'),
        ),
        migrations.AddField(
            model_name='reorderrule',
            name='quiet_at',
            field=core.fields.QuantityField(decimal_places=6, editable=False, max_digits=19, null=True),
        ),
        migrations.AddField(
            model_name='reorderrule',
            name='safety_stock',
            field=core.fields.QuantityField(blank=True, decimal_places=6, help_text="By forecast. Empty: as much as the forecast's error and the service level ask for.", max_digits=19, null=True),
        ),
        migrations.AddField(
            model_name='reorderrule',
            name='service_level',
            field=models.PositiveSmallIntegerField(db_default=95, default=95, help_text='By forecast: in how many of a hundred lead times the stock shall last.', validators=[django.core.validators.MinValueValidator(50), django.core.validators.MaxValueValidator(99)]),
        ),
        migrations.AddField(
            model_name='reordertask',
            name='assignee',
            field=core.fields.TenantForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.membership'),
        ),
        migrations.AddField(
            model_name='reordertask',
            name='dismissed_because',
            field=models.CharField(blank=True, db_default='', max_length=500),
        ),
        migrations.AddField(
            model_name='reordertask',
            name='ordered_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='reordertask',
            name='ordered_quantity',
            field=core.fields.QuantityField(blank=True, decimal_places=6, max_digits=19, null=True),
        ),
        migrations.AddField(
            model_name='reordertask',
            name='received_quantity',
            field=core.fields.QuantityField(db_default=0, decimal_places=6, default=0, help_text='Of what was ordered.', max_digits=19),
        ),
        migrations.AddField(
            model_name='reordertask',
            name='snoozed_until',
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name='reorderrule',
            name='min_quantity',
            field=core.fields.QuantityField(decimal_places=6, help_text='Low at or under this. By forecast: computed, and until there is one as written here.', max_digits=19),
        ),
        migrations.AlterField(
            model_name='reordertask',
            name='due_on',
            field=models.DateField(blank=True, help_text='When goods that are ordered at once would come, or are expected.', null=True),
        ),
    ]
