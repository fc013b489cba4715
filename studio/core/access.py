"""Roles and `require`: the only module that decides who may do what."""

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from studio.core.errors import Forbidden
from studio.core.models import Role, RoleGrant, Token, User, Workspace

# The least role for each verb of the services.
NEEDS = {
    "read": Role.READER,
    "submit": Role.OPERATOR,
    "cancel": Role.OPERATOR,
    # On any run: tagging, renaming, describing, and reporting that a client's own run is canceled.
    "tag": Role.OPERATOR,
    "change": Role.OPERATOR,
    # On one's own runs: adding metrics, params and artifacts (and uploading code, which by itself
    # runs nothing); reporting status and properties, and beginning child runs.
    "track": Role.OPERATOR,
    "drive": Role.OPERATOR,
    # Anything that brings code of its own: a graph, a run configuration, a command, a script, an
    # environment. Other values for a published pipeline are not code.
    "run code": Role.PUBLISHER,
    "publish": Role.PUBLISHER,
    "edit": Role.PUBLISHER,
    "disable": Role.PUBLISHER,
    "register": Role.PUBLISHER,  # datasets, environments, models
    "upload": Role.PUBLISHER,  # files of datastores, which steps read
    "compute": Role.PUBLISHER,  # publishing scripts create the targets that they use
    "datastore": Role.ADMIN,
    "secret": Role.PUBLISHER,  # reading needs it too; a step reads secrets by its own token
    "administer": Role.ADMIN,
}
# What a step's own token may do (wire.md 2.3); `Run.reached_by` says to which runs. It cannot start
# pipeline runs: a script that does signs in as a user whose role allows it.
RUN_TOKEN_VERBS = {"read", "tag", "change", "track", "drive", "register", "upload"}


@dataclass(frozen=True)
class Caller:
    """Who acts, and how far they may reach. `workspace` is None for accounts and before sign-in.

    `endpoint_uuid` limits a token to one endpoint; `run_uuid` marks a step's own token.
    """

    workspace: Workspace | None
    role: Role | None
    name: str
    user: User | None = None
    token: Token | None = None
    endpoint_uuid: UUID | None = None
    run_uuid: UUID | None = None
    run_attempt: int = 0  # a step's own token belongs to one attempt
    is_authenticated: ClassVar = True

    def may(self, verb: str) -> bool:
        if self.run_uuid is not None:
            return verb in RUN_TOKEN_VERBS
        if self.endpoint_uuid is not None and verb not in ("read", "submit", "cancel"):
            return False
        return self.role is not None and self.role >= NEEDS[verb]


@dataclass(frozen=True)
class Actor(Caller):
    """A caller who acts in a workspace."""

    workspace: Workspace


def require(actor: Actor | None, verb: str, target: Model | None = None) -> None:
    """Raise Forbidden unless `actor` may do `verb`, on `target` (a row of its workspace) if given.

    A page's actor is None if its reader has no role in any workspace.
    """
    if actor is None:
        raise Forbidden(_("You have no role in any workspace yet. Ask an administrator for one."))
    if not actor.may(verb):
        if actor.role is not None and actor.role >= NEEDS[verb]:
            raise Forbidden(
                f"This token may not {verb}, whatever the role of {actor.name} is: it was made for one"
                " endpoint or one step."
            )
        raise Forbidden(
            _("%(name)s may not %(verb)s here: this needs the role %(role)s.")
            % {"name": actor.name, "verb": verb, "role": NEEDS[verb].label}
        )
    workspace_id = getattr(target, "workspace_id", None)
    if workspace_id is not None and workspace_id != actor.workspace.pk:
        raise Forbidden(_("This object belongs to another workspace."))
    reached_by = getattr(target, "reached_by", None)
    if reached_by is not None and not reached_by(actor, verb):
        raise Forbidden(_why_not_reached(actor, target))


def _why_not_reached(actor: Actor, target: Any) -> str:
    if actor.run_uuid is not None:
        return "A step's own token writes only its own run, and facts of its parent."
    if actor.endpoint_uuid is not None:
        return "This token reaches its own endpoint and the runs of that one only."
    return (
        f"{actor.name} did not start run {target.uuid} from their own script, so they may change its"
        f" tags, name and description only. To change more needs the role {NEEDS['run code'].label}."
    )


def actor_for(
    user: User, workspace: Workspace, *, token: Token | None = None, grant: RoleGrant | None = None
) -> Actor:
    """The actor that a user is in a workspace; superusers are Admin everywhere.

    `grant` is the user's, if it has been read already; with a token it always has.
    """
    if token is None and not user.is_superuser:
        grant = RoleGrant.objects.filter(user=user, workspace=workspace).first()
    granted = Role(grant.role) if grant else None
    role = Role.ADMIN if user.is_superuser else granted
    return Actor(
        workspace=workspace,
        role=role if user.is_active else None,
        name=user.get_username(),
        user=user,
        token=token,
        endpoint_uuid=token.endpoint_uuid if token else None,
    )


def system_actor(workspace: Workspace, name: str = "studio") -> Actor:
    """The studio itself: seeding, schedules, recovery."""
    return Actor(workspace=workspace, role=Role.ADMIN, name=name)


def person(user: User) -> Caller:
    """A user who acts on an account, in no workspace."""
    role = Role.ADMIN if user.is_superuser else None
    return Caller(workspace=None, role=role, name=user.get_username(), user=user)


def workspaces_of(user: User) -> QuerySet[Workspace]:
    """The workspaces that a signed-in user may open."""
    if user.is_superuser:
        return Workspace.objects.order_by("name")
    return Workspace.objects.filter(grants__user=user).order_by("name")
