"""A form with typed fields for the parameters of a pipeline."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils.functional import cached_property
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from endpoints.models import DatasetVersion, Datastore
from endpoints.parameters import (
    DATAPATH_KEYS,
    REGISTERED,
    SAVED,
    Kind,
    Parameter,
    ParameterErrors,
    Unreadable,
    datapath,
    registered_dataset,
    resolve,
    saved_dataset,
)
from studio.core.errors import Reason
from studio.core.models import Workspace
from studio.core.ui.forms import RefusableForm, TextArea, with_line_feeds
from studio.core.uuids import as_uuids

UNCHANGED = object()
VERSIONS_OFFERED = 20  # of each dataset; an earlier one is named by the id of its saved dataset
NOTE_LENGTH = 60  # of a default beside its name; the field contains all of it


class ParameterForm(RefusableForm):
    """`values` (name → text, dataset or data path) replace the defaults, such as those of a run to be
    repeated."""

    def __init__(
        self,
        data=None,
        *,
        workspace: Workspace,
        parameters: Mapping[str, Parameter],
        values: Mapping | None = None,
        initial: dict | None = None,
    ):
        self.workspace = workspace
        self.parameters = parameters
        self.values = dict(values or {})
        super().__init__(data, initial=initial)
        for parameter in parameters.values():
            self._add_fields(parameter)

    # --- the fields of one parameter -------------------------------------------------------------
    def _add_fields(self, parameter: Parameter) -> None:
        name = parameter.name
        start = self.values.get(name, parameter.default)
        if parameter.kind is Kind.DATASET:
            self._add_dataset(parameter, start)
        elif parameter.kind is Kind.DATAPATH:
            self._add_datapath(parameter, start or {})
        else:
            self.fields[f"param_{name}"] = forms.CharField(
                label=name,
                required=self._must_be_filled(parameter),
                error_messages={"required": self._missing(parameter)},
                strip=False,
                initial=None if parameter.secret else start,
                widget=self._widget(parameter, start),
            )

    def _widget(self, parameter: Parameter, start) -> forms.Widget:
        if parameter.secret:
            return forms.PasswordInput(attrs={"autocomplete": "new-password"})
        choices = ("True", "False") if parameter.kind is Kind.BOOL else parameter.choices
        if choices:
            blank = [] if start in choices else [("", "--")]
            return forms.Select(choices=[*blank, *((choice, choice) for choice in choices)])
        if isinstance(start, str) and "\n" in with_line_feeds(start):
            return TextArea(attrs={"rows": 4})
        mode = {Kind.INT: "numeric", Kind.FLOAT: "decimal"}.get(parameter.kind)
        return forms.TextInput(attrs={"inputmode": mode} if mode else {})

    def _add_dataset(self, parameter: Parameter, start) -> None:
        named, saved = self._shown(start)
        choices = list(self._registered)
        if named and named not in dict(choices):
            choices.insert(0, (named, named))
        self.fields[f"param_{parameter.name}"] = forms.ChoiceField(
            label=parameter.name,
            required=False,
            initial=named,
            choices=[("", "--"), *choices],
        )
        self.fields[f"saved_{parameter.name}"] = forms.UUIDField(
            label=_("%(name)s: or the id of a saved dataset") % {"name": parameter.name},
            required=False,
            initial=saved,
        )

    def _shown(self, reference) -> tuple[str, str]:
        """A dataset reference as its two fields show it: `name:version` and a saved dataset's
        id."""
        reference = reference or {}
        saved = reference.get(SAVED)
        if saved:
            name = self._name_of(saved["Id"])
            return name, "" if name else saved["Id"]
        named = reference.get(REGISTERED) or {}
        if "Name" in named:
            return f"{named['Name']}:{named.get('Version', 'latest')}", ""
        return "", ""

    def _add_datapath(self, parameter: Parameter, start: Mapping) -> None:
        datastore, path = (start.get(key) for key in DATAPATH_KEYS)
        stores = [(name, name) for name in self._datastores]
        self.fields[f"datastore_{parameter.name}"] = forms.ChoiceField(
            label=_("%(name)s: datastore") % {"name": parameter.name},
            required=parameter.is_required,
            error_messages={"required": _("Choose the datastore of this path.")},
            initial=datastore,
            choices=[("", "--"), *stores],
        )
        self.fields[f"param_{parameter.name}"] = forms.CharField(
            label=_("%(name)s: path") % {"name": parameter.name},
            required=False,
            initial=path,
        )

    def _versions(self) -> QuerySet[DatasetVersion]:
        return DatasetVersion.objects.filter(
            dataset__workspace=self.workspace, dataset__is_visible=True
        )

    @cached_property
    def _registered(self) -> list[tuple[str, str]]:
        """The newest versions of every registered dataset, the latest of each name first."""
        found: dict[str, str] = {}
        place = Window(RowNumber(), partition_by="dataset", order_by="-number")
        rows = self._versions().annotate(place=place).filter(place__lte=VERSIONS_OFFERED)
        rows = rows.order_by("dataset__name", "-number")
        for name, number in rows.values_list("dataset__name", "number"):
            found.setdefault(f"{name}:latest", _("%(name)s, latest version") % {"name": name})
            found[f"{name}:{number}"] = f"{name}, v{number}"
        return list(found.items())

    def _name_of(self, saved: str) -> str:
        """The `name:version` of a saved dataset, so that a default is shown by name; "" if it is not registered."""
        rows = self._versions().filter(saved__uuid__in=as_uuids([saved]))
        rows = rows.order_by("-dataset__name", "number")
        found = rows.values_list("dataset__name", "number").first()
        return f"{found[0]}:{found[1]}" if found else ""

    @cached_property
    def _datastores(self) -> list[str]:
        rows = Datastore.objects.filter(workspace=self.workspace).order_by("-is_default", "name")
        return list(rows.values_list("name", flat=True))

    # --- reading ---------------------------------------------------------------------------------
    def read_values(self, given: Mapping) -> dict[str, dict]:
        """The assigned values in three sections; what cannot be read is an error of its field."""
        sections: dict[str, dict] = {"assignments": {}, "datasets": {}, "datapaths": {}}
        for parameter in self.parameters.values():
            section = {Kind.DATASET: "datasets", Kind.DATAPATH: "datapaths"}.get(
                parameter.kind, "assignments"
            )
            if {f"param_{parameter.name}", f"datastore_{parameter.name}"} & self.errors.keys():
                continue
            try:
                value = self._value(parameter, given)
            except Unreadable as error:
                self.add_error(f"param_{parameter.name}", str(error))
                continue
            if value is not UNCHANGED:
                sections[section][parameter.name] = value
        return sections

    def check_values(self, given: Mapping[str, Any]) -> None:
        """Add the errors that the service would find in the values, where the service is not called."""
        sections = {name: given[name] for name in ("assignments", "datasets", "datapaths")}
        try:
            resolve(self.parameters, **sections, strict=True)
        except ParameterErrors as error:
            new = {
                name: text
                for name, text in error.errors.items()
                if not {f"param_{name}", f"datastore_{name}"} & self.errors.keys()
            }
            self.refuse(ParameterErrors(new))

    def _value(self, parameter: Parameter, given: Mapping):
        """The assigned value, or UNCHANGED if the default stays; Unreadable says why not."""
        name = parameter.name
        text = given.get(f"param_{name}") or ""
        if parameter.kind is Kind.DATASET:
            return self._dataset(parameter, text, given.get(f"saved_{name}"))
        if parameter.kind is Kind.DATAPATH:
            datastore = given.get(f"datastore_{name}")
            if not datastore:
                if text:
                    raise Unreadable(_("Choose the datastore of this path."))
                return UNCHANGED
            value = datapath(datastore, text)
            return UNCHANGED if value == parameter.default else value
        return self._scalar(parameter, text)

    def _scalar(self, parameter: Parameter, text: str):
        if not text and parameter.secret:
            if parameter.name in self.values:  # the secret of the run that is repeated
                return self.values[parameter.name]
            return UNCHANGED
        if not text and (parameter.kind is not Kind.STRING or parameter.default is None):
            if parameter.kind is Kind.STRING and parameter.declared:
                return ""
            if parameter.default is not None:
                raise Unreadable(self._missing(parameter))
            return UNCHANGED
        value = self._as_shown(parameter, text)
        read = value if parameter.kind is Kind.STRING else value.strip()
        return UNCHANGED if read == parameter.default else value

    def _as_shown(self, parameter: Parameter, text: str) -> str:
        """The text that the field was shown with, or a choice, if only line ends differ."""
        shown = (self.values.get(parameter.name), parameter.default, *parameter.choices)
        same = (
            known
            for known in shown
            if isinstance(known, str) and with_line_feeds(known) == with_line_feeds(text)
        )
        return next(same, text)

    def _dataset(self, parameter: Parameter, text: str, saved):
        start = self.values.get(parameter.name, parameter.default)
        shown_name, shown_saved = self._shown(start)
        saved = str(saved or "")
        if text and text != shown_name:
            name, _sign, version = text.rpartition(":")
            return registered_dataset(name, version)
        if saved and saved != shown_saved:
            return saved_dataset(saved)
        if not saved and not text:
            if parameter.is_required:
                raise Unreadable(_("Choose a dataset."))
            return UNCHANGED
        return UNCHANGED if start == parameter.default else dict(start)

    def _must_be_filled(self, parameter: Parameter) -> bool:
        """Whether the field of a scalar is required, and marked so."""
        if parameter.secret and parameter.name in self.values:
            return False
        is_text = parameter.kind is Kind.STRING and not parameter.secret
        return parameter.is_required and not (is_text and parameter.declared)

    @staticmethod
    def _missing(parameter: Parameter) -> str:
        if parameter.secret:
            return _("This secret is required.")
        return _("A value is required (%(kind)s).") % {"kind": parameter.kind}

    def field_of(self, reason: Reason) -> str | None:
        if f"param_{reason.name}" in self.fields:
            return f"param_{reason.name}"
        return super().field_of(reason)

    # --- printing --------------------------------------------------------------------------------
    @property
    def parameter_fields(self) -> list[dict]:
        """Each bound field of a parameter with its note: type and default."""
        return [
            {"field": self[name], "note": note if name.startswith("param_") else ""}
            for parameter in self.parameters.values()
            for note in [_note(parameter)]
            for name in (f"datastore_{parameter.name}", f"param_{parameter.name}", f"saved_{parameter.name}")
            if name in self.fields
        ]  # fmt: skip


def _note(parameter: Parameter) -> str:
    if parameter.secret:
        return _("secret · stored encrypted, never shown again")
    if parameter.is_scalar and parameter.default is not None:
        return f"{parameter.kind} · " + _("default %(value)s") % {
            "value": Truncator(str(parameter.default)).chars(NOTE_LENGTH) or '""'
        }
    return str(parameter.kind)
