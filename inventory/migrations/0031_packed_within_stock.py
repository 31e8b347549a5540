from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('inventory', '0030_unit_contents'),
    ]

    operations = [
        AddConstraintNotValid(
            model_name='stockitem',
            constraint=models.CheckConstraint(condition=models.Q(('packed__gte', 0), models.Q(('may_be_short', True), ('quantity__gte', models.F('packed')), _connector='OR')), name='stock_holds_packed', violation_error_message='These goods are packed: unpack them first.'),
        ),
        ValidateConstraint(model_name='stockitem', name='stock_holds_packed'),
    ]
