from accounts.services.purging import archived_attachments_purge, rate_windows_purge, staged_uploads_purge
from core.retention import DataClass

DATA_CLASSES = [
    DataClass(
        "invitations", "Invitations that were accepted, revoked or not taken up", 90, "accounts_invitation",
        "COALESCE(t.accepted_at, t.revoked_at, t.expires_at) < %(before)s",
    ),
    DataClass(
        "sign-in-history", "Sign-ins that ended", 90, "accounts_usersession",
        """COALESCE(t.ended_at, t.expires_at, t.last_seen_at) < %(before)s AND (
            t.ended_at IS NOT NULL OR NOT EXISTS (SELECT FROM usersessions_usersession AS s WHERE s.id = t.session_id))""",
    ),
    DataClass(
        "impersonations", "When platform staff acted for members", 365, "accounts_impersonation",
        "COALESCE(t.ended_at, t.expires_at) < %(before)s",
    ),
    DataClass(  # ten years: an invoice is not to be lost because somebody tidied up
        "archived-files", "Attachments that were archived, with their files", 3650, "accounts_attachment",
        purge=archived_attachments_purge,
    ),
    DataClass("sessions", "Sessions that expired", 0, "django_session", "t.expire_date < %(before)s", shared=True),
    DataClass(
        "sign-ins", "Sign-ins whose session is gone", 1, "usersessions_usersession",
        "t.created_at < %(before)s AND NOT EXISTS (SELECT FROM django_session AS s WHERE s.session_key = t.session_key)",
        shared=True,
    ),
    DataClass(
        "failed-sign-ins", "Failed sign-ins", 14, "axes_accessattempt", "t.attempt_time < %(before)s", shared=True,
    ),
    DataClass(
        "answers", "Answers that are not repeated any more", 0, "accounts_idempotencyrecord", "t.expires_at < %(before)s",
        shared=True,
    ),
    DataClass(
        "nonces", "Nonces of signatures that are too old to be accepted", 0, "accounts_usednonce", "t.expires_at < %(before)s",
        shared=True,
    ),
    DataClass(
        "rate-windows", "Counts of requests", 1, "accounts_ratewindow", shared=True, purge=rate_windows_purge,
    ),
    DataClass("staged-uploads", "Uploads that nobody completed", 1, "", shared=True, purge=staged_uploads_purge),
]  # fmt: skip
