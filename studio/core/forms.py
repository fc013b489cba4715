from typing import cast
from uuid import UUID

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.password_validation import password_validators_help_texts
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext_lazy as _

from studio.core import sign_in
from studio.core.sign_in import Locked
from studio.core.tokens import LONGEST_NAME, MOST_DAYS


class SignInForm(AuthenticationForm):
    """Calls the service, which counts failures. `locked` is its refusal."""

    locked: Locked | None = None

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        # A name that cannot exist fails and is counted like any other.
        field = self.fields["username"]
        field.validators = [
            each for each in field.validators if not isinstance(each, MaxLengthValidator)
        ]

    def clean(self):
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if name is None or not password:
            return self.cleaned_data
        try:
            self.user_cache = sign_in.find_user(self.request, name=name, password=password)
        except Locked as error:
            self.locked = error
            raise forms.ValidationError(error.message) from error
        if self.user_cache is None:
            raise self.get_invalid_login_error()
        self.confirm_login_allowed(self.user_cache)
        return self.cleaned_data


class OwnPasswordForm(PasswordChangeForm):
    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.fields["new_password1"].help_text = " ".join(password_validators_help_texts())

    def clean_old_password(self):
        password = self.cleaned_data["old_password"]
        try:
            known = sign_in.is_password_of(self.user, password)
        except Locked as error:
            raise forms.ValidationError(error.message) from error
        if not known:
            text = self.error_messages["password_incorrect"]
            raise forms.ValidationError(text, code="password_incorrect")
        return password

    def save(self, commit=True):
        sign_in.change_password(self.user, self.cleaned_data["new_password1"])
        return self.user


class TokenForm(forms.Form):
    """A person's input for a new token; `endpoints` (uuid → name) are those it may be limited
    to."""

    name = forms.CharField(
        label=_("Name"), max_length=LONGEST_NAME, help_text=_("Who or what will use it.")
    )
    days = forms.IntegerField(
        label=_("Days until it expires"), min_value=1, max_value=MOST_DAYS, initial=365
    )
    endpoint_uuid = forms.TypedChoiceField(
        label=_("What it opens"), required=False, coerce=UUID, empty_value=None
    )

    def __init__(self, data=None, *, endpoints, **more):
        super().__init__(data, **more)
        whole = ("", _("The workspace, with your role"))
        only = [
            (str(uuid), _("Only the endpoint %(name)s") % {"name": name})
            for uuid, name in endpoints.items()
        ]
        cast("forms.ChoiceField", self.fields["endpoint_uuid"]).choices = [whole, *only]
