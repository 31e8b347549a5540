from core.privacy import PersonalData, mentioned, without_the_address

OWN_SESSIONS = "SELECT s.session_key FROM usersessions_usersession AS s WHERE s.user_id = %(user_id)s::uuid"
OWN_ADDRESSES = "SELECT a.id FROM account_emailaddress AS a WHERE a.user_id = %(user_id)s::uuid"
OF_THE_MEMBER = "t.membership_id = %(membership_id)s::uuid"
OF_THE_USER = "t.user_id = %(user_id)s::uuid"
ELSEWHERE = "A sign-in belongs to the person, whatever the organization."
GONE = "The member is gone."
MENTIONED = "The address is taken out."


def written_by_the_person(table: str) -> str:
    """No column of these tables says by whom; the audit trail does."""
    return f"""t.id IN (
        SELECT e.row_id FROM accounts_auditentry AS e
        WHERE e.organization_id = t.organization_id AND e.actor_id = %(user_id)s::uuid
            AND e.table_name = '{table}' AND e.action = 'insert')"""


PERSONAL = [
    PersonalData(
        "accounts_contact", "Contacts at partners", "lower(t.email) = %(email)s", "pseudonymise",
        "The partner keeps its contact, which no longer says who it is.",
        {"name": "'Erased person'", "email": "''", "phone": "''", "fax": "''", "position": "''"},
    ),
    PersonalData(
        "accounts_invitation", "Invitations", "t.email = %(email)s", "delete", "Nobody is invited any more.",
        hidden=("token_hash",),
    ),
    PersonalData(
        "accounts_datasubjectrequest", "Archives of earlier exports",
        "lower(t.subject_email) = %(email)s AND t.result <> ''", "pseudonymise",
        "The archive goes; that the person was answered stays.", {"result": "''"}, hidden=("result",), files=("result",),
    ),
    PersonalData(
        "accounts_journalentry", "Notes that mention the person", f"t.kind = 'note' AND {mentioned('t.body')}", "pseudonymise",
        MENTIONED, {"body": without_the_address("body")},
    ),
    PersonalData(
        "accounts_journalentry", "Notes and changes of status by the person",
        f"(t.author_id = %(user_id)s::uuid OR t.kind <> 'note' AND {mentioned('t.body')})", "keep",
        "They belong to the objects that they are on, and hold an id alone, which names nobody after the erasure."
        " The database refuses to change what is said of a change of status.",
    ),
    *(
        PersonalData(
            table, f"{label} whose names mention the person", f"({mentioned('t.filename')}{more})", "pseudonymise",
            f"{MENTIONED} What the file itself says is not looked at.", replacements, hidden=("storage_key", "storage_version"),
        )
        for table, label, more, replacements in (
            ("accounts_attachment", "Attachments", f" OR {mentioned('t.title')}",
             {"filename": without_the_address("filename"), "title": without_the_address("title")}),
            ("accounts_attachmentversion", "Versions of attachments", "", {"filename": without_the_address("filename")}),
        )
    ),
    *(
        PersonalData(
            table, f"{label} by the person", written_by_the_person(table), "keep",
            "The file is the organization's; only the audit trail says who sent it.",
            hidden=("storage_key", "storage_version"),
        )
        for table, label in (("accounts_attachment", "Attachments"), ("accounts_attachmentversion", "Versions of attachments"))
    ),
    PersonalData(
        "accounts_savedfilter", "Own filters", "t.owner_id = %(user_id)s::uuid AND t.visibility = 'private'", "delete",
        "Nobody else sees them.",
    ),
    PersonalData(
        "accounts_savedfilter", "Filters that mention the person", f"({mentioned('t.query')} OR {mentioned('t.name')})",
        "pseudonymise", MENTIONED, {"query": without_the_address("query"), "name": without_the_address("name")},
    ),
    PersonalData(
        "accounts_savedfilter", "Filters shared with others", "t.owner_id = %(user_id)s::uuid AND t.visibility = 'shared'",
        "keep", "Others use them. They hold the person's id alone, which names nobody after the erasure.",
    ),
    PersonalData(
        "accounts_featureflag", "Features switched on for the person", "%(user_id)s::uuid = ANY (t.user_ids)", "pseudonymise",
        "The id is taken out.", {"user_ids": "array_remove(user_ids, %(user_id)s::uuid)"},
    ),
    PersonalData(
        "accounts_idempotencyrecord", "Answers that wait to be repeated",
        "(t.principal = 'user:' || %(user_id)s::text OR position(%(email)s in lower(encode(t.body, 'escape'))) > 0)", "delete",
        "They are kept for a day only.", hidden=("key_hash", "request_hash", "body"),
    ),
    PersonalData("accounts_impersonation", "When platform staff acted for the member", OF_THE_MEMBER, "delete", GONE),
    PersonalData(
        "accounts_impersonation", "When the person acted for a member", "t.impersonator_id = %(user_id)s::uuid", "keep",
        "Proof for the member. It holds the person's id alone, which names nobody after the erasure.",
    ),
    PersonalData("accounts_externalidentity", "Identities at providers", OF_THE_MEMBER, "delete", GONE),
    PersonalData("accounts_usersession", "Sign-ins to this organization", OF_THE_USER, "delete", GONE),
    PersonalData("accounts_userrole", "Roles of the member", OF_THE_MEMBER, "delete", GONE),
    PersonalData("accounts_membership", "Membership", OF_THE_USER, "delete", GONE),
    PersonalData(
        "django_session", "Sessions", f"t.session_key IN ({OWN_SESSIONS})", "delete", ELSEWHERE,
        hidden=("session_key", "session_data"), shared=True,
    ),
    PersonalData(
        "usersessions_usersession", "Sign-ins", OF_THE_USER, "delete", ELSEWHERE, hidden=("session_key", "data"), shared=True,
    ),
    PersonalData(
        "mfa_authenticator", "Second factors", OF_THE_USER, "delete", ELSEWHERE, hidden=("data",), shared=True,
    ),
    PersonalData(  # of a member alone: whoever asks about an address must not unlock somebody else's account
        "axes_accessattempt", "Failed sign-ins", "lower(t.username) = %(email)s AND %(user_id)s::uuid IS NOT NULL", "delete",
        ELSEWHERE, hidden=("get_data", "post_data"), shared=True,
    ),
    PersonalData(
        "account_emailconfirmation", "Confirmations of addresses", f"t.email_address_id IN ({OWN_ADDRESSES})", "delete",
        ELSEWHERE, hidden=("key",), shared=True,
    ),
    PersonalData("account_emailaddress", "E-mail addresses", OF_THE_USER, "delete", ELSEWHERE, shared=True),
    PersonalData(
        "accounts_user", "The person", "t.id = %(user_id)s::uuid", "pseudonymise",
        "The id stays, because ledgers name it; nothing else does.",
        {
            "email": "'erased-' || id || '@invalid'", "name": "'Erased person'", "phone": "''", "age": "NULL", "locale": "''",
            "timezone": "''", "avatar": "''", "password": "'!'", "email_verified_at": "NULL", "second_factor_at": "NULL",
            "last_login": "NULL", "is_active": "false", "is_staff": "false", "is_superuser": "false", "archived_at": "now()",
        },
        hidden=("password",), shared=True, files=("avatar",),
    ),
    PersonalData(
        "accounts_auditentry", "Audit trail",
        f"""(%(user_id)s::uuid IN (t.actor_id, t.impersonator_id) OR t.row_id IN (%(user_id)s::uuid, %(membership_id)s::uuid)
            OR {mentioned("t.changes::text")})""",
        "keep", "Proof of who changed what. It is append-only and sealed: a changed entry could not be told from a forged one.",
    ),
    PersonalData(
        "accounts_datasubjectrequest", "Requests under the law on privacy", "lower(t.subject_email) = %(email)s", "keep",
        "Proof that the person was answered.", hidden=("result",),
    ),
]  # fmt: skip
