"""Make the demo sign-ins, and follow the demo batches."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from batches.tasks import follow
from batches.words import Source
from sandbox import world
from staff.models import Person, Role

PASSWORD = "amili-demo"  # noqa: S105 - for invented data on this machine, printed for everybody to see
PEOPLE = {
    "finance": (Role.FINANCE, "Finn", "Nansen"),
    "support": (Role.SUPPORT, "Siri", "Solberg"),
    "manager": (Role.MANAGER, "Maja", "Nygård"),
}
ADMINISTRATOR = "admin"
NEWEST = 20


class Command(BaseCommand):
    """May run at every start: what is there stays as it is."""

    help = "Make the demo sign-ins and follow the stand-in's batches (local run with the sandbox only)."

    def handle(self, *args: Any, **options: Any) -> None:
        if Person.objects.exclude(username__in=[*PEOPLE, ADMINISTRATOR]).exists():
            # Their password is known to everybody: never beside real people.
            raise CommandError("Other accounts stand in this database, so the demo's are not made in it.")
        for username, (role, first_name, last_name) in PEOPLE.items():
            self._sign_in(username, role=role, first_name=first_name, last_name=last_name)
        self._sign_in(ADMINISTRATOR, role=Role.MANAGER, is_staff=True, is_superuser=True)
        follow([*world.SHOWN, *(batch.id for batch in world.recent(timezone.now(), NEWEST))], Source.COMMAND)

    def _sign_in(self, username: str, **fields: Any) -> None:
        if not Person.objects.filter(username=username).exists():
            Person.objects.create_user(username, f"{username}@example.no", PASSWORD, **fields)
        self.stdout.write(f"{username:<8}  {PASSWORD}")


def demo_sign_ins_are_open() -> bool:
    """Whether a sign-in of the demo, with the password that everybody knows, stands in this database."""
    people = Person.objects.filter(username__in=[*PEOPLE, ADMINISTRATOR], is_active=True)
    return any(person.check_password(PASSWORD) for person in people)
