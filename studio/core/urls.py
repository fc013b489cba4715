from django.urls import path

from studio.core import views

app_name = "core"
urlpatterns = [
    path("", views.token_list, name="token-list"),
    path("new/", views.token_new, name="token-new"),
    path("<uuid:uuid>/revoke/", views.token_revoke, name="token-revoke"),
]
