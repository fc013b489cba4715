"""Reads the definition of a script's run: a RunConfiguration, as the SDK serializes it."""

import shlex
from collections.abc import Iterator

from endpoints.graph import ANY_DIRECTORY, ANY_FILE, OutputSetting, Port
from endpoints.services.scripts import Script
from runs.steps.environments import EnvironmentRefused, parse
from studio.core import numbers
from studio.core.errors import BadValue
from studio.core.rest.bodies import LONGEST, Body, kind_of, strings

INPUT_MODES = ("direct", "mount", "download")
OUTPUT_MODES = ("mount", "upload")
# Targets on which the SDK itself runs the script; no worker of ours is there.
LOCAL = ("", "local", "docker", "localdocker")


def read(body: Body) -> Script:
    """The script that `Configuration` describes; BadValue names what is not possible here."""
    configuration = Body(body.mapping("Configuration"), name="Configuration")
    require_plain(configuration)
    command = command_of(configuration)
    script = configuration.text("script", longest=1000).replace("\\", "/")
    if not command and not script.strip():
        raise BadValue("A run needs a script or a command.", target="script")
    data = rows(configuration, "data")
    return Script(
        snapshot_id=body.text("SnapshotId", required=True, longest=100),
        target=target_of(configuration),
        runconfig=runconfig_of(configuration),
        script="" if command else script,
        command=command,
        arguments=tuple(arguments_of(configuration)),
        inputs=tuple(input_of(name, row) for name, row in data),
        datasets={name: dataset_of(name, row) for name, row in data},
        outputs=tuple(output_of(name, row) for name, row in rows(configuration, "outputData")),
    )


def require_plain(configuration: Body) -> None:
    """Refuse anything but one process on one machine: ignoring it would run something else."""
    framework = configuration.text("framework") or "Python"
    if framework.lower() != "python":
        raise BadValue(
            f"The framework {framework:.80} cannot be run here: use Python.", target="framework"
        )
    communicator = configuration.text("communicator") or "None"
    if communicator.lower() != "none":
        raise BadValue(
            f"The communicator {communicator:.80} is not there: a run is one process.",
            target="communicator",
        )
    if whole(configuration, "nodeCount") > 1:
        raise BadValue("A run takes one node here: nodeCount must be 1.", target="nodeCount")
    if rows(configuration, "dataReferences"):
        raise BadValue(
            "dataReferences are not read by a script's run: give it a dataset as an argument.",
            target="dataReferences",
        )
    if configuration.items("datacaches"):
        raise BadValue("There are no caches here: datacaches must be empty.", target="datacaches")


def whole(configuration: Body, key: str) -> int:
    value = configuration.get(key)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise configuration.wrong(key, "a whole number of at least 0")
    return value


def target_of(configuration: Body) -> str:
    target = configuration.text("target", longest=64).strip()
    if target.lower() in LOCAL:
        raise BadValue(
            f"The target {target or 'local'!r} is the caller's own machine: name a compute target.",
            target="target",
        )
    return target


def command_of(configuration: Body) -> str:
    """The command. The client joins its words with spaces itself; other callers may send a list."""
    value = configuration.get("command")
    if isinstance(value, list):
        return " ".join(word_of(item, "command") for item in value)
    return configuration.text("command")


def arguments_of(configuration: Body) -> Iterator[str]:
    value = configuration.get("arguments")
    if isinstance(value, str):
        try:
            yield from shlex.split(value)
        except ValueError as error:
            raise BadValue(f"arguments cannot be read: {error}.", target="arguments") from error
        return
    for item in configuration.items("arguments"):
        yield word_of(item, "arguments")


def word_of(item, key: str) -> str:
    if item is None or isinstance(item, dict | list):
        raise BadValue(f"{key} must be texts, not {kind_of(item)}.", target=key)
    return str(item)


def runconfig_of(configuration: Body) -> dict:
    """The Runconfig that is stored with the step."""
    whole(configuration, "maxRunDurationSeconds")
    variables = configuration.texts("environmentVariables")
    environment = dict(configuration.mapping("environment"))
    try:
        parse(environment)
        parse({"environmentVariables": variables})
    except EnvironmentRefused as error:
        raise BadValue(error.message, target="environment") from error
    kept = {**configuration.raw, "environment": environment, "environmentVariables": variables}
    return numbers.storable(kept)


def rows(configuration: Body, key: str) -> list[tuple[str, Body]]:
    return [
        (name, Body(row, name=f"{key}.{name:.80}"))
        for name, row in configuration.mapping(key).items()
    ]


def input_of(name: str, row: Body) -> Port:
    return Port(
        name=port(name, "data"),
        mode=mode_of(row, name, INPUT_MODES),
        path_on_compute=row.text("pathOnCompute") or None,
        data_types=(ANY_FILE, ANY_DIRECTORY),
    )


def dataset_of(name: str, row: Body) -> dict:
    """The dataset that an input reads, as a DataSetDefinitionValue."""
    location = Body(row.mapping("dataLocation"), name="dataLocation")
    dataset = Body(location.mapping("dataset"), name="dataset")
    if dataset.text("id"):
        return {"SavedDataSetReference": {"Id": dataset.text("id")}}
    if not dataset.text("name"):
        raise BadValue(f"The input {name:.80} names no dataset.", target=f"data.{name:.80}")
    version = dataset.text("version")
    named = {"Name": dataset.text("name")}
    if version and version.lower() != "latest":
        named["Version"] = version
    return {"DataSetReference": named}


def output_of(name: str, row: Body) -> OutputSetting:
    location = Body(row.mapping("outputLocation"), name="outputLocation")
    path = Body(location.mapping("dataPath"), name="dataPath")
    options = Body(row.mapping("additionalOptions"), name="additionalOptions")
    upload = Body(options.mapping("uploadOptions"), name="uploadOptions")
    globs = Body(upload.mapping("sourceGlobs"), name="sourceGlobs")
    registration = Body(options.mapping("registrationOptions"), name="registrationOptions")
    reading = registration.mapping("datasetRegistrationOptions")
    return OutputSetting(
        name=port(name, "outputData"),
        mode=mode_of(row, name, OUTPUT_MODES),
        datastore=path.text("datastoreName", longest=LONGEST) or None,
        path_on_datastore=path.text("relativePath", longest=1000)
        or "dataset/{run-id}/{output-name}",
        path_on_compute=options.text("pathOnCompute") or None,
        overwrite=bool(upload.flag("overwrite")),
        register_as=registration.text("name", longest=LONGEST) or None,
        register_description=registration.text("description"),
        register_tags=registration.texts("tags"),
        transformations=Body(reading).text("additionalTransformation"),
        only=strings(globs.items("patterns"), name="sourceGlobs.patterns"),
    )


def port(name: str, key: str) -> str:
    if not name.strip() or len(name) > LONGEST:
        raise BadValue(f"A name in {key} has 1 to {LONGEST} characters.", target=key)
    return name


def mode_of(row: Body, name: str, modes: tuple[str, ...]) -> str:
    mode = row.text("mechanism", modes[0]).lower()
    if mode not in modes:
        raise BadValue(
            f"The mechanism of {name:.80} must be one of {', '.join(modes)}, not {mode!r:.80}.",
            target="mechanism",
        )
    return mode
