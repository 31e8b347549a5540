from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('orders', '0022_kits_by_components'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='salesorderitem',
            index=models.Index(fields=['organization', 'kit'], name='sales_order_item_by_kit'),
        ),
        AddConstraintNotValid(
            model_name='salesorderitem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kit__isnull', True), ('kit_share__isnull', True), ('per_kit__isnull', True)), models.Q(('kit__isnull', False), ('kit_share__gte', 0), ('per_kit__gt', 0), ('sold_by_components', False), ('unit_price', 0)), _connector='OR'), name='sales_order_item_of_kit'),
        ),
        ValidateConstraint(model_name='salesorderitem', name='sales_order_item_of_kit'),
    ]
