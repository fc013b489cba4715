"""Pages of the frame: sign-in, errors, the choice of workspace, tokens."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import (
    LoginView,
    LogoutView,
    PasswordChangeView,
    redirect_to_login,
)
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from studio.core import rate_limits, sign_in, tokens
from studio.core.access import require, workspaces_of
from studio.core.db.keyset import numbered
from studio.core.forms import OwnPasswordForm, SignInForm, TokenForm
from studio.core.models import Role, Token, Workspace
from studio.core.ui.decorators import form_view
from studio.core.ui.dialogs import ask


@method_decorator(login_not_required, name="dispatch")
class SignIn(LoginView):
    redirect_authenticated_user = True
    form_class = SignInForm

    def form_valid(self, form):
        answer = super().form_valid(form)
        sign_in.signed_in(form.get_user())
        return answer

    def form_invalid(self, form):
        answer = super().form_invalid(form)
        if form.locked is not None:
            answer.status_code = form.locked.status
            answer.headers["Retry-After"] = rate_limits.seconds_to_wait()
        return answer


@method_decorator(login_not_required, name="dispatch")
class SignOut(LogoutView):
    def post(self, request, *args, **kwargs):
        if request.user.is_authenticated:
            sign_in.signed_out(request.user)
        return super().post(request, *args, **kwargs)


class OwnPassword(PasswordChangeView):
    """Changes one's own password. PasswordChangeView keeps this browser signed in, and no other."""

    form_class = OwnPasswordForm
    template_name = "core/password.html"
    success_url = reverse_lazy("home")

    def form_valid(self, form):
        answer = super().form_valid(form)
        messages.success(self.request, _("Your password is changed."))
        return answer


@login_not_required
def admin_sign_in(request):
    """Redirects the admin's sign-in to ours, so that there is only one."""
    if request.user.is_authenticated:
        raise PermissionDenied(_("The admin pages are for staff."))
    return redirect_to_login(request.GET.get("next") or reverse("admin:index"))


def page_403(request, exception=None):
    return render(request, "403.html", {"reason": str(exception or "")}, status=403)


def page_404(request, exception=None):
    return render(request, "404.html", status=404)


@login_not_required
def page_500(request):
    return render(request, "500.html", status=500)


def csrf_failure(request, reason=""):
    return render(request, "403_csrf.html", status=403)


@form_view
def pick_workspace(request):
    """Switch to another of one's workspaces, in this browser."""
    places = workspaces_of(request.user)
    if request.method != "POST":
        return render(request, "core/workspace_list.html", {"places": list(places)})
    place = places.filter(uuid=request.POST.get("workspace")).first()
    if place is None:
        raise Http404
    request.session["workspace"] = str(place.uuid)
    return redirect("home")


def _tokens_of(request):
    """A person's own tokens in this workspace; all tokens for an Admin."""
    require(request.actor, "read")
    found = Token.objects.filter(workspace=request.actor.workspace).select_related("user")
    if not request.actor.may("administer"):
        found = found.filter(user=request.user)
    return found.order_by("-id")


def _endpoint_names(workspace: Workspace) -> dict[UUID, str]:
    # By the reverse relation, because core does not import endpoints.
    return dict(workspace.pipelineendpoints.order_by("name").values_list("uuid", "name"))


@require_safe
def token_list(request):
    page = numbered(_tokens_of(request), request.GET)
    names = _endpoint_names(request.actor.workspace)
    for token in page:
        token.endpoint_name = names.get(token.endpoint_uuid)
    return render(request, "core/token_list.html", {"nav": "tokens", "page": page})


@form_view
@never_cache
def token_new(request):
    """Create a token; its plain text is shown on the answer's page only."""
    require(request.actor, "read")
    form = TokenForm(
        request.POST or None,
        endpoints=_endpoint_names(request.actor.workspace),
        initial={"endpoint_uuid": request.GET.get("endpoint")},
    )
    context = {"nav": "tokens", "form": form, "role": Role(request.actor.role).label}
    if not (request.method == "POST" and form.is_valid()):
        return render(request, "core/token_new.html", context)
    token, plain = tokens.make(request.actor, user=request.user, **form.cleaned_data)
    return render(
        request, "core/token_made.html", {"nav": "tokens", "token": token, "plain": plain}
    )


@form_view
def token_revoke(request, uuid):
    token = get_object_or_404(_tokens_of(request), uuid=uuid)
    if request.method != "POST":
        return _ask_revoke(request, token)
    tokens.revoke(request.actor, token)
    messages.success(request, _("Token %(name)s is revoked.") % {"name": token.name})
    return redirect("core:token-list")


def _ask_revoke(request, token: Token):
    return ask(
        request,
        nav="tokens",
        title=_("Revoke %(name)s?") % {"name": token.name},
        text=_("Calls with it are refused at once; it cannot be restored."),
        submit=_("Revoke"),
        cancel_url=reverse("core:token-list"),
        parent=_("Tokens"),
    )
