from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('inventory', '0032_expected_receipts'),
    ]

    operations = [
        migrations.AddField(
            model_name='receiptdraft',
            name='document_type',
            field=models.CharField(blank=True, db_default='', max_length=40),
        ),
        migrations.AddField(
            model_name='receiptdraft',
            name='document_id',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='warehouse',
            name='picks_by_place',
            field=models.BooleanField(db_default=False, default=False, help_text='Who picks scans the place before the goods.', verbose_name='places are scanned when picking'),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    'CREATE UNIQUE INDEX CONCURRENTLY receipt_draft_once ON inventory_receiptdraft'
                    ' (organization_id, actor_id, document_id) NULLS NOT DISTINCT',
                    'DROP INDEX CONCURRENTLY IF EXISTS receipt_draft_once',
                ),
                migrations.RunSQL(
                    'ALTER TABLE inventory_receiptdraft ADD CONSTRAINT receipt_draft_once UNIQUE USING INDEX receipt_draft_once',
                    'ALTER TABLE inventory_receiptdraft DROP CONSTRAINT receipt_draft_once',
                ),
                migrations.RunSQL(
                    # What it guarantees of drafts without a document, the constraint above does.
                    ['-- squawk-ignore ban-drop-constraint\nALTER TABLE inventory_receiptdraft DROP CONSTRAINT receipt_draft_of_person'],
                    'ALTER TABLE inventory_receiptdraft ADD CONSTRAINT receipt_draft_of_person UNIQUE (organization_id, actor_id)',
                ),
            ],
            state_operations=[
                migrations.RemoveConstraint(model_name='receiptdraft', name='receipt_draft_of_person'),
                migrations.AddConstraint(
                    model_name='receiptdraft',
                    constraint=models.UniqueConstraint(fields=('organization', 'actor_id', 'document_id'), name='receipt_draft_once', nulls_distinct=False),
                ),
            ],
        ),
    ]
