from django_tasks import task


@task()
def nothing() -> None:
    """What a job costs that does nothing."""
