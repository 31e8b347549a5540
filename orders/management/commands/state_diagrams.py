from core.generated_page import PageCommand
from orders.diagrams import PAGE, page


class Command(PageCommand):
    help = "Write docs/states.md: the states of every document, and what leads from one to another."
    file = PAGE

    def page(self) -> str:
        return page()
