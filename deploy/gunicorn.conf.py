"""The web server of a server of one's own: `gunicorn --config deploy/gunicorn.conf.py config.wsgi:application`.

HOST, PORT, WEB_CONCURRENCY (processes, gunicorn's own variable) and WEB_THREADS of each come from the environment.
"""

import os

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
timeout = 60  # seconds without a sign of life, until a process is replaced
graceful_timeout = 30  # for requests that are being answered when it is told to stop
keepalive = 65  # longer than a proxy keeps an idle connection, which is often 60
limit_request_line = 8190  # characters, the most it can: lists are asked for many ids at once
control_socket_disable = True
