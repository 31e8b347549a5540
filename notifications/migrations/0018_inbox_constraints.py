from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('notifications', '0017_alerts_and_inbox'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='notificationdelivery',
            index=models.Index(fields=['organization', 'digest'], name='delivery_of_digest'),
        ),
        AddIndexConcurrently(
            model_name='notificationdelivery',
            index=models.Index(condition=models.Q(('status', 'sent')), fields=['organization', 'channel', 'sent_at'], name='delivery_by_day'),
        ),
        AddConstraintNotValid(
            model_name='notificationdelivery',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'held'), _negated=True), ('not_before__isnull', False), _connector='OR'), name='notification_delivery_held_until'),
        ),
        ValidateConstraint(model_name='notificationdelivery', name='notification_delivery_held_until'),
        AddConstraintNotValid(
            model_name='topicsubscription',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('channel', 'inbox'), _negated=True), ('membership__isnull', False), _connector='OR'), name='topic_subscription_inbox', violation_error_message='Say whose inbox: name the membership.'),
        ),
        ValidateConstraint(model_name='topicsubscription', name='topic_subscription_inbox'),
    ]
