from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts.models import Membership, User
from accounts.permissions import ADMIN, BUILT_IN, MANAGER, VIEWER
from accounts.queries.identity import organizations_of
from accounts.services.tenancy import membership_add, organization_found
from core.dirty_csv import UnreadableTable
from core.errors import Conflict
from core.tenancy import Origin, organization_scope
from inventory.handlers import REORDER_REMINDERS
from inventory.services.demo import Say
from inventory.services.demo_dates import ledger_date_back
from notifications.models import Channel, Topic, TopicSubscription
from orders.services.demo import autoparts_demo, northwind_demo

PASSWORD = "demo-quartermaster"  # noqa: S105  # of the demo's invented people, on a machine of one's own
OWNER = ("owner@example.com", "Robin Castle")


@dataclass(frozen=True)
class Company:
    slug: str
    name: str
    currency: str
    timezone: str
    people: dict[str, str]  # name by role
    fill: Callable[[Say], None]

    def email(self, role: str) -> str:
        return f"{role}@{self.slug}.example"


COMPANIES = (
    Company(
        "northwind", "Northwind Traders", "USD", "America/New_York",
        {ADMIN: "Ada Winter", MANAGER: "Martin Shaw", VIEWER: "Vera Lindt"}, northwind_demo,
    ),
    Company(
        "autoparts", "Porto Auto Parts", "EUR", "Europe/Lisbon",
        {ADMIN: "Ana Moreira", MANAGER: "Miguel Sousa", VIEWER: "Vasco Reis"}, autoparts_demo,
    ),
)


class Command(BaseCommand):
    help = "Load the demo: two organizations, with a person for each role. What is there already stays as it is."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO_ALLOWED:
            raise CommandError(
                "Everybody knows the demo's password: load it with config.settings.local, not with these settings.",
                returncode=2,
            )
        here = _organizations_here()
        for company in COMPANIES:
            if company.slug in here:
                self.stdout.write(f"{company.name} is there already.")
            else:
                self._load(company)
        self._sign_ins()

    def _load(self, company: Company) -> None:
        self.stdout.write(f"Loading {company.name}:")
        try:
            with transaction.atomic():
                self._found(company)
        except Conflict as error:
            if error.code != "slug_taken":
                raise
            self.stdout.write(f"  left out: another organization is called {company.slug} here.")
        except UnreadableTable as error:
            raise CommandError(str(error), returncode=2) from error

    def _found(self, company: Company) -> None:
        people = {role: _person(company.email(role), name) for role, name in company.people.items()}
        organization = organization_found(
            name=company.name, slug=company.slug, founder=_person(*OWNER, is_superuser=True), base_currency=company.currency,
            timezone=company.timezone,
        )
        transaction.on_commit(lambda: ledger_date_back(organization.pk))
        with organization_scope(organization.pk, origin=Origin(actor_id=people[MANAGER].pk, reason="Demo")):
            members = {role: membership_add(user=user, roles=[role]) for role, user in people.items()}
            _subscribe(members[MANAGER])
            company.fill(self.stdout.write)

    def _sign_ins(self) -> None:
        here = _organizations_here()
        companies = [company for company in COMPANIES if company.slug in here]
        rows = [(OWNER[0], BUILT_IN[ADMIN], f"{' and '.join(company.name for company in companies)}; platform staff")]
        for company in companies:
            rows += [(company.email(role), BUILT_IN[role], company.name) for role in company.people]
        if here:
            self.stdout.write(f"Sign in with the password {PASSWORD} as")
            for email, role, where in rows:
                self.stdout.write(f"  {email:<28}{role:<10}{where}")


def _organizations_here() -> set[str]:
    """Those of the demo: its owner belongs to them."""
    owner = User.objects.filter(email=OWNER[0]).first()
    return {found.slug for found in organizations_of(owner.pk)} if owner else set()


def _person(email: str, name: str, *, is_superuser: bool = False) -> User:
    """Somebody who is here already keeps the own password."""
    return User.objects.filter(email=email).first() or User.objects.create_user(
        email, PASSWORD, name=name, is_staff=True, is_superuser=is_superuser, email_verified_at=timezone.now(),
    )


def _subscribe(manager: Membership) -> None:
    topic = Topic.objects.get(key=REORDER_REMINDERS)
    TopicSubscription.objects.create(
        topic=topic, channel=Channel.EMAIL, address=manager.user.email, membership=manager,
        status=TopicSubscription.Status.CONFIRMED,
    )
