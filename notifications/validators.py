from typing import Any

from django.core.exceptions import ValidationError

from notifications.patterns import BadPattern, compile_pattern


def validate_pattern(value: Any) -> None:
    try:
        compile_pattern(value)
    except BadPattern as bad:
        raise ValidationError(str(bad), code="bad_pattern") from bad
