"""Mail and SMS."""

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()

# Without EMAIL_URL (smtp+tls://user:password@host:587) mail is printed.
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
EMAIL_BACKEND = EMAIL_CONFIG["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = EMAIL_CONFIG["EMAIL_HOST"] or "localhost", EMAIL_CONFIG["EMAIL_PORT"] or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = EMAIL_CONFIG["EMAIL_HOST_USER"] or "", EMAIL_CONFIG["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = EMAIL_CONFIG.get("EMAIL_USE_TLS", False), EMAIL_CONFIG.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10
# MAIL=ses sends mail by Amazon SES, in the name of the role that runs us, in the place of EMAIL_URL.
if (MAIL := env("MAIL", default="")) not in ("", "ses"):
    raise ImproperlyConfigured(f"MAIL={MAIL} is no way to send mail: say MAIL=ses, or leave it out and set EMAIL_URL.")
EMAIL_BACKEND = "core.mail_by_ses.SESBackend" if MAIL else EMAIL_BACKEND
SES_REGION, SES_ENDPOINT_URL = env("SES_REGION", default=env("AWS_REGION", default="")), env("SES_ENDPOINT_URL", default="")
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="quartermaster@localhost")
# SMS=sns sends messages to numbers by Amazon SNS; without it nobody is subscribed by SMS.
if (SMS := env("SMS", default="")) not in ("", "sns"):
    raise ImproperlyConfigured(f"SMS={SMS} is no way to send messages to numbers: say SMS=sns, or leave it out.")
SMS_SENDER = "notifications.sms.send_by_sns" if SMS else ""
SMS_SENDER_ID = env("SMS_SENDER_ID", default="")  # what phones show, in countries that allow one
SMS_ENDPOINT_URL = env("SMS_ENDPOINT_URL", default="")
SMS_REGION = env("SMS_REGION", default=env("AWS_REGION", default=""))

# Mail servers that organizations name: at these ports of the open internet, and at any of networks that are listed (10.0.0.0/8).
SENDER_PORTS: list[int] = env.list("SENDER_PORTS", cast=int, default=[587, 465, 2525, 25])
SENDER_ALLOWED_NETWORKS: list[str] = env.list("SENDER_ALLOWED_NETWORKS", default=[])
