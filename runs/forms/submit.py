"""The form that sets up a run."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from endpoints.parameters import Parameter
from runs.forms.parameters import ParameterForm
from runs.naming import experiment_name
from runs.submission import RunSettings
from studio.core.errors import Reason
from studio.core.models import Workspace
from studio.core.ui.forms import TextArea
from studio.core.ui.tags import TagsField

EXISTING, NEW = "existing", "new"


class SubmitForm(ParameterForm):
    """Sets up a run: experiment, names, and one typed field for each parameter. `settings` assigns only
    fields that were changed, and `values`."""

    experiment_choice = forms.ChoiceField(
        label=gettext_lazy("Experiment"),
        widget=forms.RadioSelect,
        choices=[(EXISTING, gettext_lazy("Select existing")), (NEW, gettext_lazy("Create new"))],
    )
    experiment = forms.ChoiceField(label=gettext_lazy("Existing experiment"), required=False)
    new_experiment = forms.CharField(
        label=gettext_lazy("New experiment"),
        required=False,
        max_length=255,
        help_text=gettext_lazy("1 to 255 characters without slashes."),
    )
    display_name = forms.CharField(
        label=gettext_lazy("Display name"),
        required=False,
        max_length=255,
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("automatic")}),
    )
    description = forms.CharField(
        label=gettext_lazy("Run description"), required=False, widget=TextArea(attrs={"rows": 2})
    )  # fmt: skip
    tags = TagsField(
        label=gettext_lazy("Tags"), required=False, help_text=gettext_lazy("One per line: name = value.")
    )  # fmt: skip
    regenerate_outputs = forms.BooleanField(
        label=gettext_lazy("Regenerate outputs (run every step again, reuse nothing)"), required=False
    )  # fmt: skip
    continue_on_step_failure = forms.BooleanField(
        label=gettext_lazy("Continue on step failure"), required=False
    )
    timeout_seconds = forms.IntegerField(
        label=gettext_lazy("Timeout in seconds"),
        required=False,
        min_value=1,
        max_value=2_147_483_647,
        help_text=gettext_lazy("Empty: as published."),
    )
    key = forms.CharField(widget=forms.HiddenInput, max_length=64)

    OF_SETTINGS: tuple[str, ...] = (
        *("display_name", "description", "tags", "assignments", "datasets", "datapaths"),
        *("regenerate_outputs", "continue_on_step_failure", "timeout_seconds"),
    )

    def __init__(
        self,
        data=None,
        *,
        workspace: Workspace,
        parameters: Mapping[str, Parameter],
        experiments: Sequence[str] = (),
        values: Mapping | None = None,
        initial: Mapping | None = None,
    ):
        start = {
            "experiment_choice": EXISTING if experiments else NEW,
            "key": uuid4().hex,
            **(initial or {}),
        }
        super().__init__(
            data, workspace=workspace, parameters=parameters, values=values, initial=start
        )
        self._choices("experiment").choices = [(name, name) for name in experiments]

    def _choices(self, name: str) -> Any:
        """The field `name`, as one with choices."""
        return self.fields[name]

    # --- reading ---------------------------------------------------------------------------------
    def clean(self):
        given = super().clean()
        chosen = "experiment" if given.get("experiment_choice") == EXISTING else "new_experiment"
        if chosen not in self.errors:
            given["experiment_name"] = self._experiment(chosen, given.get(chosen, ""))
        sections = self.read_values(given)
        if self.errors:
            self.check_values(sections)
        return given | sections

    def _experiment(self, field: str, name: str) -> str:
        """The name as the service will use it; an invalid one is reported with the other errors."""
        try:
            return experiment_name(name)
        except ValidationError as error:
            self.add_error(field, error.messages)
            return ""

    def settings(self) -> RunSettings:
        given = self.cleaned_data
        return RunSettings(
            experiment=given["experiment_name"],
            **{name: given[name] for name in self.OF_SETTINGS},
        )

    def field_of(self, reason: Reason) -> str | None:
        if reason.field == "experiment":
            chosen = self.cleaned_data.get("experiment_choice")
            return "experiment" if chosen == EXISTING else "new_experiment"
        return super().field_of(reason)
