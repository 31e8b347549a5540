from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('inventory', '0022_logistic_units'),
    ]

    operations = [
        AddConstraintNotValid(
            model_name='location',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('capacity__isnull', True), ('capacity__gt', 0), _connector='OR'), models.Q(('max_weight__isnull', True), ('max_weight__gt', 0), _connector='OR')), name='location_capacity_positive', violation_error_message='What fits is more than nothing; or leave it empty.'),
        ),
        ValidateConstraint(model_name='location', name='location_capacity_positive'),
    ]
