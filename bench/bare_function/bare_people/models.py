from django.db import models


class Person(models.Model):
    """A row of our own table, which is readable without an organization."""

    id = models.UUIDField(primary_key=True)
    email = models.EmailField()
    name = models.CharField(max_length=200)
    is_authenticated = True

    class Meta:
        managed = False
        db_table = "accounts_user"

    def __str__(self):
        return self.email
