class GS1Error(ValueError):
    """What is wrong, and where: `position` counts characters of the text from 1."""

    def __init__(self, problem: str, *, position: int = 1, ai: str = "") -> None:
        self.problem, self.position, self.ai = problem, position, ai
        super().__init__(f"At character {position}: {problem}")
