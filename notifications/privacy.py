from core.privacy import PersonalData, mentioned, without_the_address

EXPORT = "notifications.tasks.export"
OWN_SUBSCRIPTION = "(lower(t.address) = %(email)s OR t.membership_id = %(membership_id)s::uuid)"
TAKEN_OUT = "The address is taken out."


def json_without_the_address(column: str) -> str:
    return f"({without_the_address(f'{column}::text')})::jsonb"


ABOUT_THE_PERSON = "t.aggregate_type = 'user' AND t.aggregate_id = %(user_id)s::uuid"
# The event that a handler gets is the first of its job's arguments.
GIVEN = "t.arguments #>> '{args,0,aggregate_type}' = 'user' AND t.arguments #>> '{args,0,aggregate_id}' = %(user_id)s::text"
ERASED = '{"email": "", "name": "Erased person", "age": null, "phone": "", "locale": "", "timezone": ""}'


OWN_WATCHES = "SELECT w.id FROM notifications_watch AS w WHERE w.organization_id = t.organization_id" + (
    " AND w.membership_id = %(membership_id)s::uuid"
)

PERSONAL = [
    PersonalData(
        "notifications_notification", "Inbox", "t.recipient_id = %(membership_id)s::uuid", "delete", "Nobody reads it any more.",
    ),
    PersonalData(
        "notifications_notification", "Messages in others' inboxes that mention the person",
        f"({mentioned('t.title')} OR {mentioned('t.body')} OR {mentioned('t.dedupe_key')})", "pseudonymise", TAKEN_OUT,
        {
            "title": without_the_address("title"), "body": without_the_address("body"),
            "dedupe_key": f"CASE WHEN {mentioned('dedupe_key')} THEN 'erased ' || id ELSE dedupe_key END",
        },
    ),
    PersonalData(
        "notifications_notificationpreference", "How messages come", "t.membership_id = %(membership_id)s::uuid", "delete",
        "Nobody is told any more.",
    ),
    PersonalData(
        "notifications_alert", "Alerts that the person acknowledged, or whose note mentions them",
        f"(t.acknowledged_by_id = %(membership_id)s::uuid OR {mentioned('t.note')})", "pseudonymise",
        "That somebody was at it stays known, not who.",
        {
            "acknowledged_by_id": "CASE WHEN acknowledged_by_id = %(membership_id)s::uuid THEN NULL ELSE acknowledged_by_id END",
            "note": without_the_address("note"),
        },
    ),
    PersonalData(
        "notifications_channelconfig", "Senders of messages by the person's address",
        f"({mentioned('t.from_address')} OR {mentioned('t.username')})", "pseudonymise",
        "The sender is switched off, so that messages leave by the installation's.",
        {"from_address": "'erased@invalid'", "username": "''", "secret": "NULL", "is_active": "false"}, hidden=("secret",),
    ),
    PersonalData(
        "notifications_watchhit", "What the member's watches have found", f"t.watch_id IN ({OWN_WATCHES})", "delete",
        "They go with the watches.",
    ),
    PersonalData(
        "notifications_watch", "Watches", "t.membership_id = %(membership_id)s::uuid", "delete", "Nobody is told any more.",
    ),
    PersonalData(
        "notifications_watchhit", "What watches have found that mentions the person",
        f"({mentioned('t.before::text')} OR {mentioned('t.after::text')})", "pseudonymise", TAKEN_OUT,
        {"before": json_without_the_address("before"), "after": json_without_the_address("after")},
    ),
    PersonalData(
        "notifications_externalcacheentry", "Answers of external sources that mention the person",
        f"({mentioned('t.payload::text')} OR {mentioned('t.cache_key')} OR {mentioned('t.last_error')})", "delete",
        "They are asked for again where somebody needs them.",
    ),
    PersonalData(
        "notifications_watch", "Watches that mention the person",
        f"({mentioned('t.name')} OR {mentioned('t.last_value::text')} OR {mentioned('t.last_error')})", "pseudonymise", TAKEN_OUT,
        {
            "name": without_the_address("name"), "last_value": json_without_the_address("last_value"),
            "last_error": without_the_address("last_error"),
        },
    ),
    PersonalData(
        "notifications_externalsubject", "Subjects of external sources that mention the person",
        f"({mentioned('t.label')} OR {mentioned('t.external_id')} OR {mentioned('t.attributes::text')})", "pseudonymise",
        f"{TAKEN_OUT} By an id that was the address, the source is not asked any more.",
        {
            "label": without_the_address("label"), "attributes": json_without_the_address("attributes"),
            "external_id": f"CASE WHEN {mentioned('external_id')} THEN 'erased ' || id ELSE external_id END",
        },
    ),
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
            "dedupe_key": f"CASE WHEN {mentioned('dedupe_key')} THEN 'erased ' || id ELSE dedupe_key END",
            **{column: without_the_address(column) for column in ("lock_key", "discard_reason")},
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
        "notifications_job", "Files of lists that the person exported",
        f"t.task = '{EXPORT}' AND t.origin ->> 'actor_id' = %(user_id)s::text AND t.result ->> 'key' IS NOT NULL",
        "pseudonymise", "The files go; that a list was exported stays known. What others exported is gone within two days.",
        {"result": "result - 'key'"}, files_of_others=("t.result ->> 'key'",),
    ),
    PersonalData(
        "notifications_job", "Jobs about the member", GIVEN, "pseudonymise", "As the event that they are about.",
        {"arguments": f"""CASE WHEN arguments #> '{{args,0,payload,object,email}}' IS NULL THEN arguments
                               ELSE jsonb_set(arguments, '{{args,0,payload,object}}',
                                              (arguments #> '{{args,0,payload,object}}') || '{ERASED}') END"""},
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
        "notifications_deliveryattempt", "Answers of webhooks that mention the person",
        f"({mentioned('t.response_excerpt')} OR {mentioned('t.error')})", "pseudonymise", TAKEN_OUT,
        {"response_excerpt": "'Erased.'", "error": "'Erased.'"},
    ),
    PersonalData(
        "notifications_eventdelivery", "Deliveries of events that mention the person",
        f"({mentioned('t.payload::text')} OR {mentioned('t.last_error')} OR {mentioned('t.discard_reason')})",
        "pseudonymise", TAKEN_OUT,
        {"payload": json_without_the_address("payload"), "last_error": "'Erased.'", "discard_reason": "'Erased.'"},
    ),
    PersonalData(
        "notifications_outboxevent", "Events about the member", ABOUT_THE_PERSON, "pseudonymise",
        "That the member came, changed and left stays known, by an id that names nobody after the erasure.",
        {"payload": f"""CASE WHEN payload #> '{{object,email}}' IS NULL THEN payload
                             ELSE jsonb_set(payload, '{{object}}', (payload -> 'object') || '{ERASED}') END"""},
    ),
    PersonalData(
        "notifications_outboxevent", "Events that mention the person",
        f"({mentioned('t.payload::text')} AND ({ABOUT_THE_PERSON}) IS NOT TRUE)", "pseudonymise", TAKEN_OUT,
        {"payload": json_without_the_address("payload")},
    ),
]  # fmt: skip
