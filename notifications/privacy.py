from core.privacy import PersonalData, mentioned, without_the_address

OWN_SUBSCRIPTION = "(lower(t.address) = %(email)s OR t.membership_id = %(membership_id)s::uuid)"
TAKEN_OUT = "The address is taken out."


def json_without_the_address(column: str) -> str:
    return f"({without_the_address(f'{column}::text')})::jsonb"


PERSONAL = [
    PersonalData(
        "notifications_notificationdelivery", "Messages",
        f"""(lower(t.address) = %(email)s OR t.subscription_id IN (
                SELECT s.id FROM notifications_topicsubscription AS s
                WHERE s.organization_id = t.organization_id AND {OWN_SUBSCRIPTION.replace("t.", "s.")})
             OR {mentioned("t.subject")} OR {mentioned("t.body")} OR {mentioned("t.error")})""",
        "pseudonymise", "That something was sent stays known, not to whom nor what.",
        {"address": "''", "subject": "''", "body": "''", "error": "''", "subscription_id": "NULL"},
    ),
    PersonalData("notifications_topicsubscription", "Subscriptions", OWN_SUBSCRIPTION, "delete", "Nobody is told any more."),
    PersonalData(
        "notifications_job", "Jobs that mention the person",
        f"({mentioned('t.arguments::text')} OR {mentioned('t.result::text')} OR {mentioned('t.error')}"
        f" OR {mentioned('t.origin::text')} OR {mentioned('t.checkpoint::text')} OR {mentioned('t.progress_note')}"
        f" OR {mentioned('t.lock_key')} OR {mentioned('t.dedupe_key')} OR {mentioned('t.discard_reason')})",
        "pseudonymise", TAKEN_OUT,
        {
            "arguments": json_without_the_address("arguments"), "result": json_without_the_address("result"),
            "origin": json_without_the_address("origin"), "error": "'Erased.'",
            "checkpoint": json_without_the_address("checkpoint"), "progress_note": "''",
            **{column: without_the_address(column) for column in ("lock_key", "dedupe_key", "discard_reason")},
        },
    ),
    PersonalData(
        "notifications_jobattempt", "Attempts of jobs whose errors mention the person",
        f"({mentioned('t.error')} OR {mentioned('t.traceback')})", "pseudonymise", TAKEN_OUT,
        {"error": "'Erased.'", "traceback": "''"},
    ),
    PersonalData(
        "notifications_job", "Jobs that the person caused",
        "t.origin ->> 'actor_id' = %(user_id)s::text AND t.origin ->> 'ip' IS NOT NULL", "pseudonymise",
        "Where from is taken out. The id names nobody after the erasure.", {"origin": "origin - 'ip'"},
    ),
    PersonalData(
        "notifications_outboxevent", "Events", mentioned("t.payload::text"), "pseudonymise", TAKEN_OUT,
        {"payload": json_without_the_address("payload")},
    ),
]  # fmt: skip
