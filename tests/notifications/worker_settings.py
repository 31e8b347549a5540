"""A worker in a process of its own, on the database of the test that starts it."""

import os

from config.settings.local import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.notifications.playground"]  # noqa: F405
for _alias, _database in DATABASES.items():  # noqa: F405
    _database["NAME"] = os.environ["WORKER_TEST_DATABASE"]
    _database["HOST"] = os.environ.get("WORKER_TEST_HOST", _database["HOST"])
if role := os.environ.get("WORKER_TEST_APP_ROLE"):
    DATABASES["default"] |= {name: DATABASES[role][name] for name in ("USER", "PASSWORD")}  # noqa: F405
JOB_LEASE = float(os.environ.get("WORKER_TEST_LEASE", JOB_LEASE))  # noqa: F405
