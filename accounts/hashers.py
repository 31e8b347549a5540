from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """argon2id with the lowest parameters that OWASP recommends: 19 MiB (19,456 KiB), two passes, one lane."""

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1
