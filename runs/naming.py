"""Names of runs and experiments: which are valid, and a generated one for runs."""

import re
import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

NOT_IN_NAMES = re.compile(r"[\x00-\x1f/\\]")
OPENED_BY_SDK = re.compile(
    r"[a-zA-Z0-9][\w\-]*"
)  # what its `PipelineRun.get` asks of an experiment
ADJECTIVES = [
    "amber",
    "bold",
    "brave",
    "bright",
    "calm",
    "clever",
    "cool",
    "crisp",
    "eager",
    "fair",
    "fleet",
    "gentle",
    "golden",
    "good",
    "great",
    "green",
    "happy",
    "honest",
    "icy",
    "jolly",
    "keen",
    "kind",
    "lively",
    "loyal",
    "lucky",
    "mellow",
    "mighty",
    "modest",
    "neat",
    "nimble",
    "noble",
    "patient",
    "plucky",
    "polite",
    "proud",
    "quick",
    "quiet",
    "ready",
    "red",
    "serene",
    "sharp",
    "shiny",
    "silent",
    "sincere",
    "sleepy",
    "smart",
    "steady",
    "strong",
    "sunny",
    "sweet",
    "swift",
    "tidy",
    "tough",
    "upbeat",
    "warm",
    "wise",
    "witty",
    "zesty",
]
NOUNS = [
    "apple",
    "arch",
    "bag",
    "basket",
    "beach",
    "bear",
    "bell",
    "bird",
    "boat",
    "bridge",
    "brook",
    "cart",
    "castle",
    "cloud",
    "clover",
    "comet",
    "coral",
    "crane",
    "cup",
    "deer",
    "dolphin",
    "drum",
    "eagle",
    "engine",
    "falcon",
    "feather",
    "fern",
    "field",
    "fig",
    "flame",
    "forest",
    "fox",
    "garden",
    "grape",
    "hat",
    "hill",
    "island",
    "jewel",
    "kettle",
    "kite",
    "lake",
    "lamp",
    "leaf",
    "lemon",
    "library",
    "lion",
    "lock",
    "map",
    "maple",
    "market",
    "moon",
    "muscle",
    "oak",
    "ocean",
    "onion",
    "orange",
    "owl",
    "parrot",
    "peach",
    "pear",
    "pen",
    "pepper",
    "plum",
    "pocket",
    "river",
    "rose",
    "sail",
    "shark",
    "snail",
    "star",
    "stone",
    "street",
    "sun",
    "table",
    "tent",
    "thread",
    "tiger",
    "tooth",
    "tree",
    "van",
    "wave",
    "whale",
    "wheel",
    "wind",
]
SUFFIX = "0123456789bcdfghjklmnpqrstvwxyz"


def run_name() -> str:
    """A generated name such as `sunny_whale_k3x7c9q2`, in v1's style."""
    ending = "".join(secrets.choice(SUFFIX) for _position in range(8))
    return f"{secrets.choice(ADJECTIVES)}_{secrets.choice(NOUNS)}_{ending}"


def experiment_of(text: object, owner: Any) -> tuple[str, list[str]]:
    """The name of a run's experiment and warnings about it. None means the name of the `owner`, the
    endpoint or pipeline that is run."""
    if text is not None or owner is None:
        name = experiment_name(text)
        return name, experiment_warnings(name)
    name = suggested_experiment(owner.name)
    said = f"No ExperimentName was given: the run is in the experiment {name!r}."
    return name, [said, *experiment_warnings(name)]


def suggested_experiment(name: str) -> str:
    """The experiment for runs of an endpoint or pipeline of this name, where nobody names another: the
    same name, without what a name of an experiment may not have."""
    return NOT_IN_NAMES.sub("-", name[:255])


def experiment_name(text: object) -> str:
    name = text.strip() if isinstance(text, str) else ""
    if not name:
        raise ValidationError({"experiment": [_("The name of an experiment is required.")]})
    if len(name) > 255 or NOT_IN_NAMES.search(name):
        raise ValidationError(
            {
                "experiment": [
                    _(
                        "The name of an experiment has 1 to 255 characters, no slashes and no control"
                        " characters."
                    )
                ]
            }
        )
    return name


def experiment_warnings(name: str) -> list[str]:
    """MLflow and people may choose names that the SDK cannot open; it then finds their runs in
    lists only."""
    if OPENED_BY_SDK.fullmatch(name):
        return []
    return [
        f"The Azure ML SDK cannot open runs of the experiment {name!r} by their ids: it wants names of"
        " letters, digits, - and _, with a letter or digit first."
    ]
