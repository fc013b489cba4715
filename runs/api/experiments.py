"""Experiments, as run history shows them (wire.md 9.2)."""

from rest_framework.response import Response

from runs import services
from runs.api import odata
from runs.models import Experiment
from runs.wire.entities import experiment_dto
from runs.wire.entity_types import ExperimentDto, ExperimentPage
from runs.wire.history import ExperimentQuery
from studio.core.errors import BadValue
from studio.core.rest.bodies import Body, query_text, strings
from studio.core.rest.schema import documented, query
from studio.core.rest.views import WireView, find, find_by_name

# Filters of lists, in the SDK's words.
VIEWS: dict[str, dict] = {
    "activeonly": {"archived_at": None},
    "archivedonly": {"archived_at__isnull": False},
    "all": {},
}
VIEW_TYPE = query("viewType", "ActiveOnly, as by default, ArchivedOnly or All.")


def experiments(actor):
    return Experiment.objects.filter(workspace=actor.workspace)


def experiment_by_name(actor, name: str) -> Experiment:
    """The experiment of this name; a 404 makes the client create it (wire.md 3.4)."""
    return find_by_name(experiments(actor), name, "Experiment")


class ExperimentByName(WireView):
    for_run_tokens = True
    field_names = {"experiment": "ExperimentName"}

    @documented(gives=ExperimentDto)
    def get(self, request, name, **scope):
        return Response(experiment_dto(experiment_by_name(self.actor, name)))

    def post(self, request, name, **scope):
        Body(request.data)
        return Response(experiment_dto(services.make_experiment(self.actor, name)))


class ExperimentById(WireView):
    for_run_tokens = True

    def experiment(self) -> Experiment:
        return find(experiments(self.actor), self.kwargs["experiment_id"], "Experiment")

    @documented(gives=ExperimentDto)
    def get(self, request, **scope):
        return Response(experiment_dto(self.experiment()))

    def patch(self, request, **scope):
        """Changes what the body names. The name cannot change: all its runs have it in their
        address."""
        body = Body(request.data)
        experiment = self.experiment()
        if "name" in body and body.name("name") != experiment.name:
            raise BadValue("An experiment cannot be renamed.", target="name")
        changed = services.edit_experiment(
            self.actor,
            experiment,
            tags=body.texts("tags"),
            description=body.text("description") if "description" in body else None,
            archive=body.flag("archive"),
        )
        return Response(experiment_dto(changed))

    def delete(self, request, **scope):
        services.delete_experiment(self.actor, self.experiment())
        return Response(status=200)


class ExperimentTags(WireView):
    """Removes tags. The client reads `{"errors": {tag: error}}`; a missing tag is no error."""

    def post(self, request, experiment_id, **scope):
        tags = strings(Body(request.data).items("tags"), name="tags")
        experiment = find(experiments(self.actor), experiment_id, "Experiment")
        services.edit_experiment(self.actor, experiment, remove_tags=tags)
        return Response({"errors": {}})


class QueryExperiments(WireView):
    @documented(takes=ExperimentQuery, gives=ExperimentPage, parameters=[VIEW_TYPE])
    def post(self, request, **scope):
        asked = ExperimentQuery.read(Body(request.data))
        word = query_text(request.query_params, "viewType") or asked["view_type"]
        rows = experiments(self.actor).filter(**view_of(word))
        rows = rows.filter(odata.parse(asked["filter"], odata.EXPERIMENTS)).order_by("-pk")
        return Response({"value": [experiment_dto(row) for row in rows], "continuationToken": None})


def view_of(word: str) -> dict:
    """The filter for a view type; active experiments by default."""
    try:
        return VIEWS[word.lower() or "activeonly"]
    except KeyError:
        raise BadValue(
            f"viewType must be ActiveOnly, ArchivedOnly or All, not {word!r:.80}.",
            target="viewType",
        ) from None
