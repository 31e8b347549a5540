"""How long a process takes to be ready: each round is a new one. The sides take turns."""

import subprocess
import sys
from collections.abc import Iterator
from statistics import median

from django.conf import settings

from bench.database import TENANT, member_of
from bench.measuring import Result

ROUNDS = 7

BEGIN = "import time; began = time.perf_counter()\n"
END = "\nprint(time.perf_counter() - began)"
BARE = f"""{BEGIN}
from django.conf import settings
settings.configure(
    SECRET_KEY="bench", DATABASES={{"default": {{"ENGINE": "django.db.backends.postgresql"}}}},
    INSTALLED_APPS=[
        "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
        "django.contrib.messages", "django.contrib.staticfiles", "rest_framework",
    ],
)
import django
django.setup(){END}"""
OURS = f"{BEGIN}import django; django.setup(){END}"
FIRST_ANSWER = f"""{BEGIN}import sys
import django
django.setup()
from django.conf import settings
for database in settings.DATABASES.values():
    database["NAME"] = sys.argv[1]
from bench.database import Member
from bench.requests import Client
Client(Member(None, None, sys.argv[2])).get("products/?limit=100")(){END}"""


def run(size: int) -> Iterator[Result]:
    bare, ours, answer = [], [], []
    token = member_of(TENANT).token
    for _ in range(ROUNDS):
        bare.append(_milliseconds(BARE))
        ours.append(_milliseconds(OURS))
        answer.append(_milliseconds(FIRST_ANSWER, settings.DATABASES["default"]["NAME"], token))
    lowest, setup, first = (median(found[1:]) for found in (bare, ours, answer))
    yield Result("django.setup(), beside bare Django, admin and DRF", size, setup, lowest, target=("ratio", 2))
    yield Result("from nothing to the first list answered", size, first, target=("ours", 600))


def _milliseconds(program: str, *arguments: str) -> float:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *arguments],
        check=True, capture_output=True, text=True, cwd=settings.BASE_DIR,
    )
    return float(done.stdout.split()[-1]) * 1000
