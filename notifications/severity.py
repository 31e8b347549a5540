from django.db import models


class Severity(models.TextChoices):
    """How much a message matters. What is critical waits for no digest and no quiet hours."""

    INFO = "info", "Information"
    WARNING = "warning", "Warning"
    CRITICAL = "critical", "Critical"
