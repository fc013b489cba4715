"""The form of a schedule: when it fires, and the values of its runs."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from endpoints.parameters import Kind
from runs import schedules
from runs.forms.submit import SubmitForm
from runs.models import Schedule, Trigger
from runs.recurrence import DAY_NAMES, iana_names, zone_of
from runs.submission import RunSettings

ZONES = sorted(zone for zone in iana_names() if "/" in zone or zone == "UTC")


class NumbersField(forms.CharField):
    """Whole numbers, separated by commas or spaces."""

    def to_python(self, value):
        words = (value or "").replace(",", " ").split()
        if not all(word.isascii() and word.isdigit() and len(word) < 4 for word in words):
            raise ValidationError(_("Whole numbers with commas between them, such as 6, 18."))
        return [int(word) for word in words]


class ScheduleForm(SubmitForm):
    """All of a schedule of one target. Its kind cannot change after creation."""

    display_name = regenerate_outputs = timeout_seconds = key = None
    name = forms.CharField(label=gettext_lazy("Name"), max_length=255)
    trigger = forms.ChoiceField(
        label=gettext_lazy("Fires"),
        widget=forms.RadioSelect,
        choices=[
            (Trigger.RECURRENCE, gettext_lazy("At set times")),
            (Trigger.DATASTORE, gettext_lazy("When files change")),
        ],
    )
    frequency = forms.ChoiceField(
        label=gettext_lazy("Unit"),
        required=False,
        choices=[
            ("Minute", gettext_lazy("minutes")),
            ("Hour", gettext_lazy("hours")),
            ("Day", gettext_lazy("days")),
            ("Week", gettext_lazy("weeks")),
            ("Month", gettext_lazy("months")),
        ],
    )
    interval = forms.IntegerField(label=gettext_lazy("Every"), required=False, min_value=1)
    start_time = forms.DateTimeField(
        label=gettext_lazy("Starts"),
        required=False,
        input_formats=[
            "%Y-%m-%dT%H:%M",
            "%Y-%m-%dT%H:%M:%S",
            "%Y-%m-%d %H:%M",
            "%Y-%m-%d %H:%M:%S",
        ],
        widget=forms.DateTimeInput(
            format="%Y-%m-%dT%H:%M:%S", attrs={"type": "datetime-local", "step": "1"}
        ),
        help_text=gettext_lazy(
            "In the local time of the zone; it never fires before this. Empty: the first run is at once."
        ),
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        required=False,
        choices=[(zone, zone) for zone in ZONES],
    )
    hours = NumbersField(
        label=gettext_lazy("Hours"),
        required=False,
        help_text=gettext_lazy("0 to 23, such as 6, 18; with days and weeks only."),
    )
    minutes = NumbersField(
        label=gettext_lazy("Minutes"),
        required=False,
        help_text=gettext_lazy("0 to 59, such as 0, 30; with days and weeks only."),
    )
    week_days = forms.MultipleChoiceField(
        label=gettext_lazy("Week days"),
        required=False,
        choices=list(DAY_NAMES.items()),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("With weeks only."),
    )
    datastore = forms.ChoiceField(label=gettext_lazy("Datastore"), required=False)
    path = forms.CharField(
        label=gettext_lazy("Path"),
        required=False,
        max_length=1000,
        help_text=gettext_lazy("A folder or a file; empty: the whole datastore."),
    )
    includes_subfolders = forms.BooleanField(
        label=gettext_lazy("Watch the folders in it too"), required=False
    )
    polling_minutes = forms.IntegerField(
        label=gettext_lazy("Check for changes every (minutes)"), required=False, min_value=1
    )
    datapath_parameter = forms.ChoiceField(
        label=gettext_lazy("Parameter that gets the changed path"), required=False
    )
    one_run_per_batch = forms.BooleanField(
        label=gettext_lazy("One run for all changes found at once"),
        required=False,
        help_text=gettext_lazy("Otherwise each changed file gets a run of its own."),
    )
    skips_while_running = forms.BooleanField(
        label=gettext_lazy("Skip while its last run is still running"), required=False
    )

    FILES = (
        *("datastore", "path", "includes_subfolders", "polling_minutes"),
        *("datapath_parameter", "one_run_per_batch"),
    )

    OF_SETTINGS = (
        *("description", "tags", "assignments", "datasets", "datapaths"),
        "continue_on_step_failure",
    )

    version = forms.ChoiceField(label=gettext_lazy("Pipeline version"), required=False)

    def __init__(self, data=None, *, schedule: Schedule | None = None, versions=(), **more):
        start = {
            "trigger": Trigger.RECURRENCE,
            "frequency": "Day",
            "interval": 1,
            "time_zone": "UTC",
            "polling_minutes": 5,
            "one_run_per_batch": True,
            **(more.pop("initial", None) or {}),
        }
        super().__init__(data, initial=start, **more)
        if versions:
            follows = _("The default, whichever it is when it fires")
            self._choices("version").choices = [
                ("", follows),
                *((str(number), f"v{number}") for number in versions),
            ]
        else:
            del self.fields["version"]
        paths = [name for name, row in self.parameters.items() if row.kind is Kind.DATAPATH]
        self._choices("datapath_parameter").choices = [
            ("", "--"),
            *((name, name) for name in paths),
        ]
        self._choices("datastore").choices = [(name, name) for name in self._datastores]
        if schedule is not None:
            self._keep_kind(schedule)
            shown = start.get("time_zone")
            if shown not in ZONES:
                self._choices("time_zone").choices = [(shown, shown), *((z, z) for z in ZONES)]

    def _keep_kind(self, schedule: Schedule) -> None:
        kept = self._choices("trigger").choices
        self._choices("trigger").choices = [row for row in kept if row[0] == schedule.trigger]

    @property
    def asks_times(self) -> bool:
        return Trigger.RECURRENCE in dict(self._choices("trigger").choices)

    @property
    def asks_files(self) -> bool:
        return Trigger.DATASTORE in dict(self._choices("trigger").choices)

    # --- reading ----------------------------------------------------------------------------------
    def arguments(self) -> dict:
        """The arguments of `create_schedule` and `update_schedule`, except the target."""
        given = self.cleaned_data
        found = {
            "name": given["name"],
            "settings": self.settings(),
            "strict": True,  # people want to know about wrong values
            "skips_while_running": given["skips_while_running"],
        }
        if given["trigger"] == Trigger.RECURRENCE:
            return found | {"recurrence": self.recurrence()}
        return found | {"watch": self.watch()}

    def recurrence(self) -> dict:
        given = self.cleaned_data
        start_time = given["start_time"]
        return {
            "frequency": given["frequency"],
            "interval": given["interval"] or 1,
            "start_time": f"{start_time:%Y-%m-%dT%H:%M:%S}" if start_time else None,
            "time_zone": given["time_zone"] or "UTC",
            "hours": given["hours"],
            "minutes": given["minutes"],
            "week_days": given["week_days"],
        }

    def watch(self) -> schedules.Watch:
        given = self.cleaned_data
        return schedules.Watch(
            datastore=given["datastore"],
            path=given["path"].strip("/"),
            polling_minutes=given["polling_minutes"] or 5,
            datapath_parameter=given["datapath_parameter"],
            includes_subfolders=given["includes_subfolders"],
            one_run_per_batch=given["one_run_per_batch"],
        )


def initial_of(schedule: Schedule, settings: RunSettings) -> dict:
    """Initial values for an existing schedule."""
    found = {
        "name": schedule.name,
        "trigger": schedule.trigger,
        "description": schedule.description,
        "tags": settings.tags,
        "experiment_choice": "existing",
        "experiment": settings.experiment,
        "continue_on_step_failure": settings.continue_on_step_failure,
        "skips_while_running": schedule.skips_while_running,
    }
    if not schedule.is_recurrence:
        return found | {
            "datastore": schedule.datastore_name,
            **{name: getattr(schedule, name) for name in ScheduleForm.FILES if name != "datastore"},
        }
    rule = schedule.rule
    return found | {
        "frequency": rule.frequency,
        "interval": rule.interval,
        "start_time": rule.start if rule.is_given_start else None,
        "time_zone": zone_of(rule.time_zone).key,
        "hours": ", ".join(map(str, rule.hours)),
        "minutes": ", ".join(map(str, rule.minutes)),
        "week_days": list(rule.week_days),
    }
