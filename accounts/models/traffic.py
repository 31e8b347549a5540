"""What requests leave behind so that they can be repeated and do not become too many."""

from django.db import models

from core.models import RuntimeModel


class IdempotencyRecord(RuntimeModel):
    """The answer to a request that came with an Idempotency-Key, written in the transaction of its effect."""

    principal = models.CharField("who asked", max_length=50, help_text="user:<id> or key:<id>; another one's key is another key.")
    key_hash = models.CharField(max_length=64, help_text="Of the Idempotency-Key, which itself is not kept.")
    request_hash = models.CharField(max_length=64, help_text="Of method, address and body.")
    status = models.PositiveSmallIntegerField("HTTP status")
    headers = models.JSONField()
    body = models.BinaryField(null=True, help_text="Null: too large to keep.")
    is_sealed = models.BooleanField(
        "answer is sealed", help_text="The answer holds a secret; its body opens with the Idempotency-Key alone.",
    )
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = "idempotency answer"
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["organization", "principal", "key_hash"], name="idempotency_record_once"),
        ]
        indexes = [models.Index(fields=["expires_at"], name="idempotency_record_expiry")]

    def __str__(self) -> str:
        return f"{self.status} for {self.principal}"


class RateWindow(models.Model):
    """How many requests of the running window processes have leased; of people, keys, organizations and addresses."""

    bucket = models.CharField(max_length=80, primary_key=True)
    ends = models.BigIntegerField(help_text="Unix time.")
    granted = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.bucket
