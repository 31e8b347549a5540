from core.privacy import PersonalData

OWN_SESSIONS = "SELECT s.session_key FROM usersessions_usersession AS s WHERE s.user_id = %(user_id)s::uuid"
OWN_ADDRESSES = "SELECT a.id FROM account_emailaddress AS a WHERE a.user_id = %(user_id)s::uuid"
ELSEWHERE = "A sign-in belongs to the person, whatever the organization."

PERSONAL = [
    PersonalData(
        "accounts_contact", "Contacts at partners", "lower(t.email) = %(email)s", "pseudonymise",
        "The partner keeps its contact, which no longer says who it is.",
        {"name": "'Erased person'", "email": "''", "phone": "''", "fax": "''", "position": "''"},
    ),
    PersonalData(
        "accounts_userrole", "Roles of the member", "t.membership_id = %(membership_id)s::uuid", "delete", "The member is gone.",
    ),
    PersonalData("accounts_membership", "Membership", "t.id = %(membership_id)s::uuid", "delete", "The member is gone."),
    PersonalData(
        "django_session", "Sessions", f"t.session_key IN ({OWN_SESSIONS})", "delete", ELSEWHERE, hidden=("session_data",),
        shared=True,
    ),
    PersonalData(
        "usersessions_usersession", "Sign-ins", "t.user_id = %(user_id)s::uuid", "delete", ELSEWHERE,
        hidden=("session_key", "data"), shared=True,
    ),
    PersonalData(
        "account_emailconfirmation", "Confirmations of addresses", f"t.email_address_id IN ({OWN_ADDRESSES})", "delete",
        ELSEWHERE, hidden=("key",), shared=True,
    ),
    PersonalData(
        "account_emailaddress", "E-mail addresses", "t.user_id = %(user_id)s::uuid", "delete", ELSEWHERE, shared=True,
    ),
    PersonalData(
        "accounts_user", "The person", "t.id = %(user_id)s::uuid", "pseudonymise",
        "The id stays, because ledgers name it; nothing else does.",
        {
            "email": "'erased-' || id || '@invalid'", "name": "'Erased person'", "phone": "''", "age": "NULL", "locale": "''",
            "timezone": "''", "password": "'!'", "email_verified_at": "NULL", "is_active": "false", "is_staff": "false",
            "archived_at": "now()",
        },
        hidden=("password",), shared=True,
    ),
    PersonalData(
        "accounts_auditentry", "Audit trail",
        """(t.actor_id = %(user_id)s::uuid OR t.row_id IN (%(user_id)s::uuid, %(membership_id)s::uuid)
            OR position(%(email)s in lower(t.changes::text)) > 0)""",
        "keep", "Proof of who changed what. It is append-only and sealed: a changed entry could not be told from a forged one.",
    ),
    PersonalData(
        "accounts_datasubjectrequest", "Requests under the law on privacy", "lower(t.subject_email) = %(email)s", "keep",
        "Proof that the person was answered.",
    ),
]  # fmt: skip
