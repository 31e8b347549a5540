from config.postman import COLLECTION, text
from core.generated_page import PageCommand


class Command(PageCommand):
    help = "Write docs/postman.json, the collection for Postman, from docs/openapi.json."
    file = COLLECTION

    def page(self) -> str:
        return text()
