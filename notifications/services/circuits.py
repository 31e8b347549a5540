"""The circuit of something outside that is asked: it opens after so many failures in a row, each further one for twice as long.

Whoever is let go while it is open is its probe. One statement, so that processes need not agree; what it is about is a row of its
own, of a table with failures, failing_since and closed_until.
"""

LONGEST_CIRCUIT = 3600  # seconds
PROBE = 60  # seconds that the others wait for a probe; longer than any answer takes

# Of several that were under way when the circuit opened, the later ones say nothing new. The exponent is bounded, or the
# number would not be one for long.
LATE = "(NOT %(probe)s AND h.failures >= %(threshold)s AND h.closed_until > clock_timestamp())"
FAILED = """
    INSERT INTO {table} AS h (id, organization_id, {key}, failures, failing_since, closed_until)
    VALUES (uuid7(), %(organization)s, %({value})s, 1, clock_timestamp(), CASE
        WHEN 1 >= %(threshold)s THEN clock_timestamp() + GREATEST(%(circuit)s, %(asked)s) * interval '1 second'
        WHEN %(asked)s > 0 THEN clock_timestamp() + %(asked)s * interval '1 second' END)
    ON CONFLICT (organization_id, {key}) DO UPDATE SET
        failures = h.failures + CASE WHEN {late} THEN 0 ELSE 1 END,
        failing_since = COALESCE(h.failing_since, clock_timestamp()),
        closed_until = CASE
            WHEN {late} THEN h.closed_until
            WHEN h.failures + 1 >= %(threshold)s THEN clock_timestamp() + interval '1 second' * GREATEST(%(asked)s,
                LEAST(%(longest)s, %(circuit)s * 2 ^ LEAST(h.failures + 1 - %(threshold)s, 12)))
            WHEN %(asked)s > 0 THEN clock_timestamp() + %(asked)s * interval '1 second' END
    RETURNING failures, EXTRACT(epoch FROM clock_timestamp() - failing_since)::float8
"""


def failed(*, table: str, key: str) -> str:
    """The statement that notes a failure; `key` is the column of what has failed, whose name without _id is the value's."""
    return FAILED.format(table=table, key=key, value=key.removesuffix("_id"), late=LATE)
