from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('inventory', '0007_reservations'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='lot',
            index=models.Index(fields=['organization', 'expires_on', 'id'], name='lot_by_expiry'),
        ),
        AddConstraintNotValid(
            model_name='reasoncode',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('approval_over_quantity__isnull', True), ('approval_over_value__isnull', True)), models.Q(('kind', 'adjustment'), models.Q(('approval_over_quantity__isnull', True), ('approval_over_quantity__gte', 0), _connector='OR'), models.Q(('approval_over_value__isnull', True), ('approval_over_value__gte', 0), _connector='OR')), _connector='OR'), name='reason_code_limits', violation_error_message='A limit is not negative, and only adjustments have one.'),
        ),
        ValidateConstraint(model_name='reasoncode', name='reason_code_limits'),
        AddConstraintNotValid(
            model_name='stockitem',
            constraint=models.CheckConstraint(condition=models.Q(('is_serial', False), ('quantity__in', [0, 1]), _connector='OR'), name='stock_serial_is_one_piece', violation_error_message='A serial number is one piece.'),
        ),
        ValidateConstraint(model_name='stockitem', name='stock_serial_is_one_piece'),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    'CREATE UNIQUE INDEX CONCURRENTLY stock_serial_in_one_place'
                    ' ON inventory_stockitem (organization_id, lot_id) WHERE (is_serial AND quantity > 0)',
                    'DROP INDEX CONCURRENTLY stock_serial_in_one_place',
                ),
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name='stockitem',
                    constraint=models.UniqueConstraint(condition=models.Q(('is_serial', True), ('quantity__gt', 0)), fields=('organization', 'lot'), name='stock_serial_in_one_place', violation_error_message='This serial number is in stock already.'),
                ),
            ],
        ),
    ]
