"""Experiments, as MLflow asks for them."""

from rest_framework.response import Response

from runs import services
from runs.api.experiments import experiment_by_name, experiments
from runs.api.mlflow import entities, search
from runs.api.mlflow.base import MlflowView, page_after, page_size, pairs
from runs.models import Experiment
from studio.core.access import Actor
from studio.core.errors import BadValue, Conflict
from studio.core.rest.views import find

VIEWS = {
    "ACTIVE_ONLY": {"archived_at": None},
    "DELETED_ONLY": {"archived_at__isnull": False},
    "ALL": {},
}


# MLflow's default experiment, under Azure's name.
DEFAULT_ID, DEFAULT_NAME = "0", "Default"


def experiment_of(actor: Actor, uuid: str) -> Experiment:
    rows = experiments(actor).select_related("workspace")
    if uuid != DEFAULT_ID:
        return find(rows, uuid, "Experiment")
    return rows.filter(name=DEFAULT_NAME).first() or services.make_experiment(actor, DEFAULT_NAME)


class ExperimentView(MlflowView):
    for_run_tokens = True

    def experiment(self) -> Experiment:
        return experiment_of(self.actor, self.body.text("experiment_id", required=True))

    def shown(self, row: Experiment) -> Response:
        return Response({"experiment": entities.experiment(row, self.base_url)})


class MlflowExperiment(ExperimentView):
    def get(self, request, **scope):
        return self.shown(self.experiment())


class MlflowExperimentByName(ExperimentView):
    def get(self, request, **scope):
        name = self.body.text("experiment_name", required=True)
        return self.shown(experiment_by_name(self.actor, name))


class MlflowExperimentCreate(ExperimentView):
    field_names = {"experiment": "ExperimentName"}

    def post(self, request, **scope):
        name, tags = self.body.name("name"), pairs(self.body, "tags")
        if experiments(self.actor).filter(name=name).exists():
            raise Conflict(f"Experiment {name!r} is there already.")
        row = services.make_experiment(self.actor, name)
        if tags:
            services.edit_experiment(self.actor, row, tags=tags)
        return Response({"experiment_id": str(row.uuid)})


class MlflowExperimentSearch(ExperimentView):
    for_run_tokens = False  # steps look up experiments by name

    def post(self, request, **scope):
        body = self.body
        rows = experiments(self.actor).filter(**view_of(body, VIEWS)).select_related("workspace")
        found, token = search.page(
            rows,
            search.EXPERIMENTS.condition(body.text("filter")),
            search.EXPERIMENTS.order(body.items("order_by")),
            after=page_after(body),
            size=page_size(body),
        )
        shown = [entities.experiment(row, self.base_url) for row in found]
        return Response({"experiments": shown, **token})


def view_of(body, views: dict) -> dict:
    """The filter for the view type, by its name or by its number in MLflow's protocol."""
    key = "run_view_type" if "run_view_type" in body else "view_type"
    word = body.text(key, "ACTIVE_ONLY")
    word = dict(zip("123", VIEWS, strict=True)).get(word, word)
    if word not in views:
        raise BadValue(f"{key} must be one of {', '.join(views)}, not {word!r:.80}.", target=key)
    return views[word]


class MlflowExperimentDelete(ExperimentView):
    """Archives: the runs stay, and the experiment can be restored."""

    def post(self, request, **scope):
        services.edit_experiment(self.actor, self.experiment(), archive=True)
        return Response({})


class MlflowExperimentRestore(ExperimentView):
    def post(self, request, **scope):
        services.edit_experiment(self.actor, self.experiment(), archive=False)
        return Response({})


class MlflowExperimentUpdate(ExperimentView):
    def post(self, request, **scope):
        row = self.experiment()
        if self.body.name("new_name") != row.name:
            raise BadValue("An experiment cannot be renamed.", target="new_name")
        return Response({})


class MlflowExperimentTag(ExperimentView):
    def post(self, request, **scope):
        tags = {self.body.name("key"): self.body.text("value")}
        services.edit_experiment(self.actor, self.experiment(), tags=tags)
        return Response({})


class MlflowExperimentUntag(ExperimentView):
    def post(self, request, **scope):
        key = self.body.name("key")
        services.edit_experiment(self.actor, self.experiment(), remove_tags=[key])
        return Response({})
