"""Without Zappa, and with the addresses loaded before the first event: as quick as it can be."""

from io import BytesIO

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

application = get_wsgi_application()
_loaded = get_resolver().url_patterns


def lambda_handler(event, context):
    http = event["requestContext"]["http"]
    environ = {
        "REQUEST_METHOD": http["method"], "PATH_INFO": event["rawPath"], "QUERY_STRING": event["rawQueryString"],
        "SERVER_NAME": "localhost", "SERVER_PORT": "443", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": http["sourceIp"],
        "wsgi.url_scheme": "https", "wsgi.input": BytesIO(), "CONTENT_LENGTH": "0",
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in event["headers"].items()},
    }
    started = []
    response = application(environ, lambda status, headers: started.append((status, headers)))
    body = b"".join(response)
    response.close()
    status, headers = started[0]
    return {"statusCode": int(status[:3]), "headers": dict(headers), "body": body.decode(), "isBase64Encoded": False}
