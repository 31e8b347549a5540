from typing import Any

from django.core.management.base import BaseCommand

from config.postman import COLLECTION, text


class Command(BaseCommand):
    help = "Write docs/postman.json, the collection for Postman, from docs/openapi.json."

    def handle(self, *args: Any, **options: Any) -> None:
        COLLECTION.write_text(text())
        self.stdout.write(f"Wrote {COLLECTION.relative_to(COLLECTION.parents[1])}.")
