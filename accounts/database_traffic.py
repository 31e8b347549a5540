"""Functions of the database for requests: rate limits and the guard against replays before a scope opens, idempotency in it."""

from core.wall_sql import Function

# Tokens of the running window for one process, a row for each bucket. The sum of what is granted is never more than
# the quota; near its end each process gets an eighth of the rest, so that none sits on what others need. What a
# crash of the server may forget is a few granted tokens, so nobody waits for the disk. The clock is read under the
# lock, for a bucket whose window must not run backwards.
RATE_LEASE = Function(
    "accounts_rate_lease(integer,text[],integer[],integer[])",
    "TABLE(tokens integer, rest integer, quota integer, window_ends bigint, seconds double precision)",
    """
DECLARE
    kind text;
    spent integer;
    moment double precision;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    FOR n IN 1 .. cardinality(buckets) LOOP
        kind := split_part(buckets[n], ':', 1);
        quota := COALESCE(
            CASE kind
                WHEN 'organization' THEN (SELECT o.rate_per_minute FROM accounts_organization AS o
                                          WHERE o.id = split_part(buckets[n], ':', 2)::uuid)
                WHEN 'key' THEN (SELECT k.rate_per_minute FROM accounts_apikey AS k
                                 WHERE k.id = split_part(buckets[n], ':', 2)::uuid)
            END, quotas[n]);
        PERFORM FROM accounts_ratewindow AS w WHERE w.bucket = buckets[n] FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            INSERT INTO accounts_ratewindow (bucket, ends, granted) VALUES (buckets[n], 0, 0) ON CONFLICT DO NOTHING;
            PERFORM FROM accounts_ratewindow AS w WHERE w.bucket = buckets[n] FOR NO KEY UPDATE;
        END IF;
        moment := extract(epoch FROM clock_timestamp());
        window_ends := (floor(moment / length) + 1) * length;
        SELECT CASE WHEN w.ends = window_ends THEN w.granted ELSE 0 END INTO spent
        FROM accounts_ratewindow AS w WHERE w.bucket = buckets[n];
        tokens := greatest(0, least(wanted[n], greatest(1, (quota - spent) / 8), quota - spent));
        IF tokens > 0 THEN
            UPDATE accounts_ratewindow AS w SET ends = window_ends, granted = spent + tokens WHERE w.bucket = buckets[n];
        END IF;
        rest := greatest(0, quota - spent - tokens);
        seconds := window_ends - moment;
        RETURN NEXT;
    END LOOP;
END
""",
    callers=("app", "worker"), definer=True, arguments="length integer, buckets text[], quotas integer[], wanted integer[]",
)

# True once for each nonce of a key; a second request waits for the first one's answer.
USE_NONCE = Function(
    "accounts_use_nonce(uuid,uuid,text,integer)", "boolean",
    """
BEGIN
    INSERT INTO accounts_usednonce (id, organization_id, api_key_id, nonce, expires_at, created_at)
    VALUES (uuid7(), organization, api_key, used, clock_timestamp() + make_interval(secs => keep), clock_timestamp())
    ON CONFLICT DO NOTHING;
    RETURN FOUND;
END
""",
    callers=("app", "worker"), definer=True, arguments="organization uuid, api_key uuid, used text, keep integer",
)

# The lock first and the record afterwards, each statement of a function seeing what has been committed before it: a
# request that gets the lock sees what the one before it has written. No row: nothing is known of this key.
IDEMPOTENCY_BEGIN = Function(
    "accounts_idempotency_begin(uuid,text,text)",
    "TABLE(running boolean, request_hash text, status smallint, headers jsonb, body bytea, is_sealed boolean)",
    """
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('idempotency ' || organization || who || wanted, 0)) THEN
        RETURN QUERY SELECT true, NULL::text, NULL::smallint, NULL::jsonb, NULL::bytea, NULL::boolean;
        RETURN;
    END IF;
    RETURN QUERY
    SELECT false, r.request_hash::text, r.status, r.headers, r.body, r.is_sealed
    FROM accounts_idempotencyrecord AS r
    WHERE r.organization_id = organization AND r.principal = who AND r.key_hash = wanted AND r.expires_at > now();
END
""",
    callers=("app", "worker"), arguments="organization uuid, who text, wanted text",
)

FUNCTIONS = (RATE_LEASE, USE_NONCE, IDEMPOTENCY_BEGIN)
