from django.db import migrations, models

HOURS = {'placed': 24, 'confirmed': 48, 'packed': 24, 'shipped': 168, 'on hold': 72, 'in error': 4}

# What founding gives to a new organization, for those that are here already.
TOPICS = """
    INSERT INTO notifications_topic (id, organization_id, key, name, category, is_mandatory)
    SELECT gen_random_uuid(), o.id, 'stuck-orders', 'Stuck orders', 'orders', false FROM accounts_organization AS o
    ON CONFLICT DO NOTHING
"""


def hours():
    for state, usual in HOURS.items():
        yield migrations.AddField(
            model_name='channel',
            name=f"{state.removeprefix('in ').replace(' ', '_')}_hours",
            field=models.PositiveIntegerField(blank=True, db_default=usual, default=usual, help_text=f'An order that is {state} for longer is stuck. Empty: never.', null=True, verbose_name=f'{state}, hours'),
        )


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0014_endpoint_purpose'),
        ('orders', '0007_fulfilment'),
    ]

    operations = [
        *hours(),
        migrations.AddField(
            model_name='salesorder',
            name='moved_at',
            field=models.DateTimeField(blank=True, editable=False, help_text='When it took its last step.', null=True),
        ),
        migrations.AddField(
            model_name='salesorder',
            name='stuck_at',
            field=models.DateTimeField(blank=True, editable=False, help_text='When it was found to stand still for too long; empty once it moves.', null=True),
        ),
        migrations.RunSQL(TOPICS, migrations.RunSQL.noop),
    ]
