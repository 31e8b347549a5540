from core.generated_page import PageCommand
from notifications.catalogue import PAGE, page


class Command(PageCommand):
    help = "Write docs/event-types.md: what is told, with fields and examples."
    file = PAGE

    def page(self) -> str:
        return page()
