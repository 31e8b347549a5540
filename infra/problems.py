class PackageProblem(Exception):
    """The package cannot be made; the sentence says what to do. Commands end with 2."""
