from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('notifications', '0012_confirmations'),
    ]

    operations = [
        AddConstraintNotValid(
            model_name='topicsubscription',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('channel', 'sms'), _negated=True), ('address__regex', '^\\+[1-9][0-9]{6,14}$'), _connector='OR'), name='topic_subscription_number', violation_error_message='Give a number for SMS with its country: + and 7 to 15 digits, such as +351912345678.'),
        ),
        ValidateConstraint(model_name='topicsubscription', name='topic_subscription_number'),
    ]
