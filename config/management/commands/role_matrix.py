from config.role_matrix import PAGE, page
from core.generated_page import PageCommand


class Command(PageCommand):
    help = "Write docs/role-matrix.md: what each built-in role may do at each address of the API."
    file = PAGE

    def page(self) -> str:
        return page()
