from core.retention import DataClass

DATA_CLASSES = [
    DataClass("sessions", "Sessions that expired", 0, "django_session", "t.expire_date < %(before)s", shared=True),
    DataClass(
        "sign-ins", "Sign-ins whose session is gone", 1, "usersessions_usersession",
        "t.created_at < %(before)s AND NOT EXISTS (SELECT FROM django_session AS s WHERE s.session_key = t.session_key)",
        shared=True,
    ),
]  # fmt: skip
