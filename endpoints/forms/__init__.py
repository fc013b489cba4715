"""Forms of definitions: an endpoint's texts and switches, a new pipeline, a run to submit."""

from endpoints.forms.endpoint import EndpointForm
from endpoints.forms.pipeline import NewPipelineForm
from runs.forms.schedules import ScheduleForm, initial_of
from runs.forms.submit import SubmitForm

__all__ = ["EndpointForm", "NewPipelineForm", "ScheduleForm", "SubmitForm", "initial_of"]
