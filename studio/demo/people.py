"""The team of the demo. Nobody can sign in as one of them: they have no passwords."""

from dataclasses import dataclass
from datetime import datetime

from studio.core import audit, tokens
from studio.core.access import Actor, actor_for
from studio.core.models import Door, Role, RoleGrant, Token, User, Workspace
from studio.demo.dating import dated

TEAM = (
    ("minji.kim", "민지", "김", Role.PUBLISHER),
    ("alex.morgan", "Alex", "Morgan", Role.PUBLISHER),
    ("jiho.park", "지호", "박", Role.OPERATOR),
    ("sora.lee", "소라", "이", Role.READER),
    ("ci-bot", "", "", Role.PUBLISHER),
    ("erp-batch", "", "", Role.OPERATOR),
)
ADDRESSES = {
    "minji.kim": "10.20.4.17",
    "alex.morgan": "10.20.4.22",
    "jiho.park": "10.20.4.61",
    "sora.lee": "10.20.4.70",
    "ci-bot": "10.20.8.3",
    "erp-batch": "10.30.1.12",
}


@dataclass(frozen=True)
class Team:
    admin: Actor
    members: dict[str, Actor]

    def __getitem__(self, name: str) -> Actor:
        return self.members[name]

    def __contains__(self, name: str) -> bool:
        return name in self.members


def gather(workspace: Workspace, *, at: datetime) -> Team:
    """Make the people, with their roles and the tokens of those that are programs."""
    admin = actor_for(User.objects.filter(is_superuser=True).earliest("pk"), workspace)
    members = {}
    for name, first, last, role in TEAM:
        with dated(at, door=Door.ADMIN, address="10.20.1.2"):
            user = User.objects.create_user(name, first_name=first, last_name=last)
            grant = RoleGrant.objects.create(user=user, workspace=workspace, role=role)
            audit.record(admin, "create", user, after={"roles": f"{workspace}: {role.label}"})
        token: Token | None = None
        if not first:
            with dated(at):
                token, _ = tokens.make(admin, user=user, name=f"{name}-2026", days=365)
                token.granted = role
        members[name] = actor_for(user, workspace, token=token, grant=grant)
    return Team(admin, members)
