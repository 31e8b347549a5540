"""What files, pictures and signatures need is loaded with the first of them, not when a function starts."""

import os
import subprocess
import sys

from django.conf import settings

PROGRAM = """
import sys
import django
django.setup()
import accounts.middleware, config.urls
from django.urls import resolve
resolve("/api/v1/products/")
late = (
    "boto3", "botocore", "storages", "PIL", "filetype", "msgspec", "fpdf", "segno", "barcode", "jwt", "cryptography", "fractions",
)
print([name for name in late if name in sys.modules])
"""


def test_a_cold_start_loads_neither_aws_nor_pictures() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM], check=True, capture_output=True, text=True, cwd=settings.BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.local", "FILES_BUCKET": "files"},
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
