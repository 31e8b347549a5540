from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('inventory', '0039_sold_by_components'),
    ]

    operations = [
        AddConstraintNotValid(
            model_name='productvariant',
            constraint=models.CheckConstraint(condition=models.Q(('sold_by_components', False), ('is_kit', True), _connector='OR'), name='variant_sold_by_components_is_kit', violation_error_message='Only a kit is sold by its components: say that it is one.'),
        ),
        ValidateConstraint(model_name='productvariant', name='variant_sold_by_components_is_kit'),
    ]
