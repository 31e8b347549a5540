"""Functions of the database for webhooks that come in."""

from core.wall_sql import Function

# A call names its source, and so its organization, before anything is known of who calls.
FIND_INBOUND_SOURCE = Function(
    "notifications_find_inbound_source(uuid)",
    "TABLE(organization_id uuid, key text, scheme text, secret bytea, previous_secret bytea, tolerance_seconds integer,"
    " columns jsonb)",
    """
BEGIN
    RETURN QUERY
    SELECT s.organization_id, s.key::text, s.scheme::text, s.secret,
           CASE WHEN s.rotation_ends_at > now() THEN s.previous_secret END, s.tolerance_seconds,
           jsonb_build_object(
               'signature_header', s.signature_header, 'signature_encoding', s.signature_encoding,
               'signature_prefix', s.signature_prefix, 'timestamp_header', s.timestamp_header,
               'signed_template', s.signed_template, 'external_id_from', s.external_id_from, 'type_from', s.type_from)
    FROM notifications_inboundsource AS s JOIN accounts_organization AS o ON o.id = s.organization_id
    WHERE s.id = wanted AND s.is_active AND o.status = 'active';
END
""",
    callers=("app", "worker"), definer=True, arguments="wanted uuid",
)

FUNCTIONS = (FIND_INBOUND_SOURCE,)
