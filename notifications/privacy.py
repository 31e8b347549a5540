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
        f" OR {mentioned('t.origin::text')})",
        "pseudonymise", TAKEN_OUT,
        {
            "arguments": json_without_the_address("arguments"), "result": json_without_the_address("result"),
            "origin": json_without_the_address("origin"), "error": "'Erased.'",
        },
    ),
    PersonalData(
        "notifications_job", "Jobs that the person caused",
        "t.origin ->> 'actor_id' = %(user_id)s::text AND t.origin ->> 'ip' IS NOT NULL", "pseudonymise",
        "Where from is taken out. The id names nobody after the erasure.", {"origin": "origin - 'ip'"},
    ),
    PersonalData(
        "notifications_inboundwebhook", "Webhooks that mention the person",
        f"({mentioned('t.payload::text')} OR {mentioned('t.headers::text')} OR {mentioned('t.error')}"
        f" OR {mentioned('t.external_id')} OR {mentioned('t.ignored_reason')})",
        "pseudonymise", TAKEN_OUT,
        {
            "payload": json_without_the_address("payload"), "headers": json_without_the_address("headers"),
            "error": without_the_address("error"), "ignored_reason": without_the_address("ignored_reason"),
            "external_id": f"CASE WHEN {mentioned('external_id')} THEN 'erased ' || id ELSE external_id END",
        },
    ),
    PersonalData(
        "notifications_outboxevent", "Events", mentioned("t.payload::text"), "pseudonymise", TAKEN_OUT,
        {"payload": json_without_the_address("payload")},
    ),
]  # fmt: skip
