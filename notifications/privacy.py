from core.privacy import PersonalData

OWN_SUBSCRIPTION = "(lower(t.address) = %(email)s OR t.membership_id = %(membership_id)s::uuid)"
MENTIONED = "position(%(email)s in lower({0})) > 0"


def without_the_address(column: str) -> str:
    return f"replace(lower({column}::text), %(email)s, 'erased')::jsonb"


PERSONAL = [
    PersonalData(
        "notifications_notificationdelivery", "Messages",
        f"""(lower(t.address) = %(email)s OR t.subscription_id IN (
                SELECT s.id FROM notifications_topicsubscription AS s
                WHERE s.organization_id = t.organization_id AND {OWN_SUBSCRIPTION.replace("t.", "s.")})
             OR {MENTIONED.format("t.body")} OR {MENTIONED.format("t.error")})""",
        "pseudonymise", "That something was sent stays known, not to whom nor what.",
        {"address": "''", "subject": "''", "body": "''", "error": "''", "subscription_id": "NULL"},
    ),
    PersonalData("notifications_topicsubscription", "Subscriptions", OWN_SUBSCRIPTION, "delete", "Nobody is told any more."),
    PersonalData(
        "notifications_job", "Jobs",
        f"({MENTIONED.format('t.arguments::text')} OR {MENTIONED.format('t.result::text')} OR {MENTIONED.format('t.error')})",
        "pseudonymise", "The address is taken out.",
        {"arguments": without_the_address("arguments"), "result": without_the_address("result"), "error": "'Erased.'"},
    ),
    PersonalData(
        "notifications_outboxevent", "Events", MENTIONED.format("t.payload::text"), "pseudonymise", "The address is taken out.",
        {"payload": without_the_address("payload")},
    ),
]  # fmt: skip
