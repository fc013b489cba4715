"""The URL map: pages of each app, then REST, whose trailing slashes are optional."""

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from studio.api import missing
from studio.core import views as core
from studio.core.rest.routes import wire_path
from studio.pages import home

urlpatterns = [
    path("", home.home, name="home"),
    path("home/live/", home.running, name="home-running"),
    path("sign-in/", core.SignIn.as_view(), name="sign-in"),
    path("sign-out/", core.SignOut.as_view(), name="sign-out"),
    path("password/", core.OwnPassword.as_view(), name="password"),
    path("language/", login_not_required(set_language), name="set_language"),
    path("workspace/", core.pick_workspace, name="workspace-pick"),
    path("tokens/", include("studio.core.urls")),
    path("admin/login/", core.admin_sign_in),
    path("admin/logout/", core.SignOut.as_view()),
    path("admin/password_change/", RedirectView.as_view(pattern_name="password")),
    path("admin/", admin.site.urls),
    path("", include("endpoints.urls")),
    path("", include("runs.urls")),
    path("", include("studio.api.urls")),
    path("", include("runs.api.urls")),
    path("", include("endpoints.api.urls")),
    wire_path(missing.PREFIXES, missing.Missing.as_view()),
]
handler403 = core.page_403
handler404 = core.page_404
handler500 = core.page_500
