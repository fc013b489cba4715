"""Pages of the frame: sign-in, error pages, the workspace a person works in, tokens."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from studio.core import tokens
from studio.core.access import require, workspaces_of
from studio.core.audit import record
from studio.core.errors import Forbidden
from studio.core.forms import TokenForm
from studio.core.models import Role, Token


@method_decorator(login_not_required, name="dispatch")
class SignIn(LoginView):
    redirect_authenticated_user = True


@login_not_required
def locked_out(request, credentials, *args, **kwargs):
    """Too many failed sign-ins from this address for this name."""
    reason = _("Too many failed sign-ins. Wait a minute, then try again.")
    return render(request, "403.html", {"reason": reason}, status=429)


def page_403(request, exception=None):
    return render(request, "403.html", {"reason": str(exception or "")}, status=403)


def page_404(request, exception=None):
    return render(request, "404.html", status=404)


@login_not_required
def page_500(request):
    return render(request, "500.html", status=500)


def csrf_failure(request, reason=""):
    return render(request, "403_csrf.html", status=403)


@require_POST
def pick_workspace(request):
    """Work in another workspace of this person from now on, in this browser."""
    place = workspaces_of(request.user).filter(uuid=request.POST.get("workspace")).first()
    if place is None:
        raise Http404
    request.session["workspace"] = str(place.uuid)
    there = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(there, allowed_hosts={request.get_host()})
    return redirect(there if safe else "/")


def _tokens_of(request):
    """A person's own tokens in this workspace; an Admin's view holds everybody's."""
    if request.actor is None:
        raise Forbidden(_("You have no role in any workspace yet. Ask an administrator for one."))
    found = Token.objects.filter(workspace=request.actor.workspace).select_related("user")
    if not request.actor.may("administer"):
        found = found.filter(user=request.user)
    return found.order_by("-id")


@require_GET
def token_list(request):
    return render(request, "core/token_list.html", {"nav": "tokens", "tokens": _tokens_of(request)})


@require_http_methods(["GET", "POST"])
@never_cache
def token_new(request):
    """Make a token; its plain text is on the answer's page and nowhere else, ever."""
    require(request.actor, "read")
    initial = {"endpoint_uuid": request.GET.get("endpoint")}
    form = TokenForm(request.POST or None, initial=initial)
    context = {"nav": "tokens", "form": form, "role": Role(request.actor.role).label}
    if not (request.method == "POST" and form.is_valid()):
        return render(request, "core/token_new.html", context)
    token, plain = tokens.issue(
        user=request.user, workspace=request.actor.workspace, **form.cleaned_data
    )
    record(request.actor, "create", token, after={"endpoint": str(token.endpoint_uuid or "")})
    return render(
        request, "core/token_made.html", {"nav": "tokens", "token": token, "plain": plain}
    )


@require_POST
def token_revoke(request, uuid):
    token = _tokens_of(request).filter(uuid=uuid).first()
    if token is None:
        raise Http404
    tokens.revoke(token)
    record(request.actor, "revoke", token)
    messages.success(request, _("Token %(name)s is revoked.") % {"name": token.name})
    return redirect("core:token-list")
