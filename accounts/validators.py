"""The password rule, beside Django's length, common and similarity validators."""

from django.core.exceptions import ValidationError


class LetterAndDigitValidator:
    """At least one upper-case letter, one lower-case letter and one digit; symbols are welcome, not required."""

    def validate(self, password: str, user: object = None) -> None:
        tests = {"an upper-case letter": str.isupper, "a lower-case letter": str.islower, "a digit": str.isdigit}
        if missing := [name for name, test in tests.items() if not any(map(test, password))]:
            raise ValidationError(f"The password lacks {' and '.join(missing)}.", code="password_too_simple")

    def get_help_text(self) -> str:
        return "Your password must contain an upper-case letter, a lower-case letter and a digit."
