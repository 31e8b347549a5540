"""How a worker takes a job: one function, one round trip, whatever waits (docs/adr/0027)."""

from core.wall_sql import Function

# Of two queues' heads the more urgent is taken. Rows that wait for their time, their lock key or other steps are not
# in the index that it looks at, and a queue without room is not looked at. What it meets nevertheless is put aside.
# Each statement sees what was committed before it began: so the order of a lock key is judged after the row is locked.
CLAIM = Function(
    "notifications_job_claim(text[],integer[],text,uuid)",
    "TABLE(id uuid, organization_id uuid, task text, arguments text, origin text, number bigint, attempts integer,"
    " max_attempts integer, lock_key text, time_limit integer, checkpoint text, parent_id uuid, step integer, queue text)",
    """
#variable_conflict use_column
DECLARE
    open text[] := queues;
    chosen text;
    room integer;
    candidate record;
    due uuid;
    mate uuid;
    mates uuid[];
BEGIN
    -- However small the table was when the plan was made. Hence row by row as well: a join of a set was planned, while the
    -- table was empty, as one look at all of it.
    PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
            set_config('enable_sort', 'off', true);
    FOR due IN
        SELECT d.id FROM notifications_job AS d WHERE d.status = 'queued' AND d.waits_for = 'time' AND d.run_after <= now()
        ORDER BY d.run_after LIMIT 100 FOR UPDATE SKIP LOCKED
    LOOP
        UPDATE notifications_job AS j SET waits_for = '' WHERE j.id = due;
    END LOOP;
    FOR look IN 1..50 LOOP
        IF wanted IS NULL THEN
            SELECT q.name INTO chosen FROM unnest(open) AS q (name) CROSS JOIN LATERAL (
                SELECT j.priority, j.run_after, j.id FROM notifications_job AS j
                WHERE j.queue = q.name AND j.status = 'queued' AND j.waits_for = ''
                ORDER BY j.priority DESC, j.run_after, j.id LIMIT 1
            ) AS head ORDER BY head.priority DESC, head.run_after, head.id LIMIT 1;
        ELSE
            SELECT j.queue INTO chosen FROM notifications_job AS j
            WHERE j.id = wanted AND j.status = 'queued' AND j.waits_for = '' AND j.queue = ANY (open);
        END IF;
        EXIT WHEN NOT FOUND;

        room := limits[array_position(queues, chosen)];
        IF room IS NOT NULL THEN
            PERFORM pg_advisory_xact_lock(hashtextextended('room in a queue of jobs', 0));
            SELECT room - count(*) INTO room FROM notifications_job AS j
            WHERE j.queue = chosen AND j.status IN ('running', 'cancelling') AND j.heartbeat_at IS NOT NULL
                AND j.waits_for <> 'steps';
            IF room <= 0 THEN
                open := array_remove(open, chosen);
                CONTINUE;
            END IF;
        END IF;

        IF wanted IS NULL THEN
            SELECT j.id, j.organization_id, j.lock_key, j.run_after, j.seq INTO candidate FROM notifications_job AS j
            WHERE j.queue = chosen AND j.status = 'queued' AND j.waits_for = ''
            ORDER BY j.priority DESC, j.run_after, j.id LIMIT 1 FOR UPDATE SKIP LOCKED;
        ELSE
            SELECT j.id, j.organization_id, j.lock_key, j.run_after, j.seq INTO candidate FROM notifications_job AS j
            WHERE j.id = wanted AND j.status = 'queued' AND j.waits_for = '' FOR UPDATE SKIP LOCKED;
        END IF;
        IF NOT FOUND THEN
            open := array_remove(open, chosen);
            CONTINUE;
        END IF;

        IF candidate.run_after > now() THEN
            UPDATE notifications_job AS j SET waits_for = 'time' WHERE j.id = candidate.id;
            CONTINUE;
        END IF;

        IF candidate.lock_key <> '' AND notifications_job_waits(candidate.organization_id, candidate.lock_key, candidate.seq) THEN
            mates := ARRAY(
                SELECT j.id FROM notifications_job AS j
                WHERE j.organization_id = candidate.organization_id AND j.lock_key = candidate.lock_key AND j.seq >= candidate.seq
                    AND j.status IN ('queued', 'running', 'cancelling') AND j.lock_key <> '' AND j.waits_for <> 'steps'
                    AND j.status = 'queued' AND j.waits_for = ''
                ORDER BY j.seq LIMIT 500 FOR UPDATE SKIP LOCKED
            );
            FOREACH mate IN ARRAY mates LOOP
                UPDATE notifications_job AS j SET waits_for = 'lock'
                WHERE j.id = mate AND notifications_job_waits(j.organization_id, j.lock_key, j.seq);
            END LOOP;
            CONTINUE;
        END IF;

        BEGIN
            RETURN QUERY
            UPDATE notifications_job AS j
            SET status = 'running', attempts = j.attempts + 1, started_at = clock_timestamp(), heartbeat_at = clock_timestamp(),
                worker = claimer
            WHERE j.id = candidate.id
            RETURNING j.id, j.organization_id, j.task::text, j.arguments::text, j.origin::text,
                (j.attempts + j.continuations)::bigint, j.attempts::integer, j.max_attempts::integer, j.lock_key::text,
                j.time_limit::integer, j.checkpoint::text, j.parent_id, j.step::integer, j.queue::text;
            RETURN;
        EXCEPTION WHEN unique_violation THEN  -- one of its key that was enqueued later has begun meanwhile
            UPDATE notifications_job AS j SET waits_for = 'lock' WHERE j.id = candidate.id;
        END;
    END LOOP;
END
""",
    callers=("worker",), arguments="queues text[], limits integer[], claimer text, wanted uuid",
)

# Whether a job of this key is at work, or comes before.
WAITS = Function(
    "notifications_job_waits(uuid,text,bigint)",
    "boolean",
    """
BEGIN
    RETURN EXISTS (
        SELECT FROM notifications_job AS j
        WHERE j.organization_id = organization AND j.lock_key = key AND j.lock_key <> '' AND j.seq < place
            AND j.status IN ('queued', 'running', 'cancelling') AND j.waits_for <> 'steps'
    ) OR EXISTS (
        SELECT FROM notifications_job AS j
        WHERE j.organization_id = organization AND j.lock_key = key AND j.lock_key <> ''
            AND j.status IN ('running', 'cancelling') AND j.heartbeat_at IS NOT NULL AND j.waits_for <> 'steps'
    );
END
""",
    callers=("worker",), arguments="organization uuid, key text, place bigint",
)

FUNCTIONS = (WAITS, CLAIM)
