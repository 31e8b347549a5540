from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('inventory', '0040_counts_keep_their_keys'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    'CREATE UNIQUE INDEX CONCURRENTLY category_slug_by_parent ON inventory_category'
                    " (organization_id, parent_id, slug) NULLS NOT DISTINCT WHERE NOT (slug = '')",
                    'DROP INDEX CONCURRENTLY IF EXISTS category_slug_by_parent',
                ),
                migrations.RunSQL(
                    # What it guarantees, the index above does.
                    ['-- squawk-ignore ban-drop-constraint\nALTER TABLE inventory_category DROP CONSTRAINT category_slug_per_parent'],
                    'ALTER TABLE inventory_category'
                    ' ADD CONSTRAINT category_slug_per_parent UNIQUE NULLS NOT DISTINCT (organization_id, parent_id, slug)',
                ),
            ],
            state_operations=[
                migrations.RemoveConstraint(model_name='category', name='category_slug_per_parent'),
                migrations.AddConstraint(
                    model_name='category',
                    constraint=models.UniqueConstraint(condition=models.Q(('slug', ''), _negated=True), fields=('organization', 'parent', 'slug'), name='category_slug_by_parent', nulls_distinct=False, violation_error_message='Another category has this slug under the same parent.'),
                ),
            ],
        ),
    ]
