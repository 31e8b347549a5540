"""Until when a message waits, as its recipient wants it."""

from core.wall_sql import Function

# Null where it goes at once. Days, weeks and quiet hours are of the recipient's clock: an hour that summer time leaves out comes
# an hour later, and one that comes twice counts once.
WAIT_UNTIL = Function(
    "notifications_wait_until(timestamp with time zone,text,text,time without time zone,integer,time without time zone,"
    "time without time zone)",
    "timestamp with time zone",
    """
DECLARE
    here timestamp := now_at AT TIME ZONE zone;
    due timestamptz := now_at;
    clock time;
BEGIN
    IF mode = 'hourly' THEN
        due := date_trunc('hour', now_at) + interval '1 hour';
    ELSIF mode = 'daily' THEN
        due := (here::date + send_at) AT TIME ZONE zone;
        IF due <= now_at THEN
            due := (here::date + 1 + send_at) AT TIME ZONE zone;
        END IF;
    ELSIF mode = 'weekly' THEN
        here := here::date + (send_on - extract(isodow FROM here)::integer + 7) % 7;
        due := (here::date + send_at) AT TIME ZONE zone;
        IF due <= now_at THEN
            due := (here::date + 7 + send_at) AT TIME ZONE zone;
        END IF;
    END IF;
    IF quiet_from IS NOT NULL THEN
        here := due AT TIME ZONE zone;
        clock := here::time;
        IF quiet_from < quiet_to AND clock >= quiet_from AND clock < quiet_to THEN
            due := GREATEST(due, (here::date + quiet_to) AT TIME ZONE zone);
        ELSIF quiet_from > quiet_to AND clock < quiet_to THEN
            due := GREATEST(due, (here::date + quiet_to) AT TIME ZONE zone);
        ELSIF quiet_from > quiet_to AND clock >= quiet_from THEN
            due := (here::date + 1 + quiet_to) AT TIME ZONE zone;
        END IF;
    END IF;
    RETURN CASE WHEN due > now_at THEN due END;
END
""",
    callers=("app", "worker"),
    arguments="now_at timestamptz, zone text, mode text, send_at time, send_on integer, quiet_from time, quiet_to time",
)

FUNCTIONS = (WAIT_UNTIL,)
