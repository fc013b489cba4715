import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.graph import read_interface
from endpoints.parameters import Kind, ParameterErrors, resolve, with_dataset_nodes

SAVED = {"SavedDataSetReference": {"Id": "8739"}}


def interface(*rows, paths=(), datasets=()):
    return {
        "Parameters": list(rows),
        "DataPathParameters": list(paths),
        "DataPathParameterList": list(datasets),
    }


def one(default, code, **more):
    row = {"Name": "p", "DefaultValue": default, "IsOptional": True, "Type": code, **more}
    return read_interface(interface(row))


def value(parameters, given_value, **options):
    return resolve(parameters, assignments={"p": given_value}, **options)


def refusal(parameters, given_value, **options):
    with pytest.raises(ParameterErrors) as refused:
        value(parameters, given_value, **options)
    return refused.value.errors["p"]


@pytest.mark.parametrize(
    ("default", "code", "kind"),
    [
        ("10", "0", Kind.INT),
        ("True", "0", Kind.BOOL),  # bool is an int in Python, so the SDK sends it so
        ("0.1", "1", Kind.FLOAT),
        ("False", "2", Kind.BOOL),
        ("x", "3", Kind.STRING),
        (None, "4", Kind.STRING),
        (10, 0, Kind.INT),
    ],
)
def test_kinds_follow_type_and_default(default, code, kind):
    assert one(default, code)["p"].kind is kind


@pytest.mark.parametrize(
    ("code", "default", "given_value", "text"),
    [
        ("0", "10", 20, "20"),
        ("0", "10", "20", "20"),
        ("0", "10", " -3 ", "-3"),
        ("1", "0.1", 20, "20"),
        ("1", "0.1", "1e-3", "1e-3"),
        ("2", "False", True, "True"),
        ("2", "False", "true", "True"),
        ("2", "False", 1, "True"),
        ("0", "True", "False", "False"),
        ("3", "x", 7, "7"),
        ("3", "x", " kept ", " kept "),
        ("3", "x", "", ""),
    ],
)
def test_bare_values_and_texts_become_wire_texts(code, default, given_value, text):
    result = value(one(default, code), given_value)
    assert (result.values, result.warnings) == ({"p": text}, [])
    assert result.provenance == {"p": "Caller"}


@pytest.mark.parametrize(
    ("code", "default", "given_value"),
    [
        ("0", "10", "ten"),
        ("0", "10", "1_000"),
        ("0", "10", "nan"),
        ("0", "10", ""),
        ("0", "10", None),
        ("0", "10", [1]),
        ("1", "0.1", "much"),
        ("1", "0.1", True),
        ("2", "False", "maybe"),
        ("3", "x", {"a": 1}),
    ],
)
def test_what_cannot_be_read_is_refused_by_name_type_and_value(code, default, given_value):
    parameters = one(default, code)
    message = refusal(parameters, given_value)
    assert "p (" + parameters["p"].kind in message
    assert given_value is None or str(given_value) in message


def test_a_guessed_int_widens_with_a_warning():
    result = value(one("10", "0"), 20.5)
    assert result.values == {"p": "20.5"}
    assert "20.5" in result.warnings[0] and "float" in result.warnings[0]
    assert value(one("10", "0"), True).values == {"p": "True"}


def test_a_declared_or_strict_int_does_not_widen():
    assert "cannot be read as int" in refusal(one("10", "0", Declared=True), 20.5)
    assert "cannot be read as int" in refusal(one("10", "0"), 20.5, strict=True)
    assert value(one("10", "0", Declared=True), "20").values == {"p": "20"}


def test_choices_bind():
    parameters = one("a", "3", Declared=True, Choices=["a", "b"])
    assert value(parameters, "b").values == {"p": "b"}
    assert "choices: a, b" in refusal(parameters, "c")


def test_a_secret_value_is_never_shown():
    for kind in ("0", "1", "2"):
        message = refusal(one(None, kind, Secret=True, Declared=True), "hunter2")
        assert "hunter2" not in message and "(secret)" in message
    warned = value(one("10", "0", Secret=True), 20.5)
    assert "20.5" not in warned.warnings[0] and "10" not in warned.warnings[0]


def test_the_articles_unknown_names_are_accepted_with_warnings():
    parameters = read_interface(
        interface({"Name": "pipeline_arg", "DefaultValue": "10", "Type": "0"})
    )
    result = resolve(parameters, assignments={"1": "united", "2": "city"})
    assert result.values == {"pipeline_arg": "10"}
    assert result.provenance == {"pipeline_arg": "Default"}
    assert len(result.warnings) == 2
    assert "There is no parameter 1" in result.warnings[0] and "pipeline_arg" in result.warnings[0]
    assert "no parameters" in resolve({}, assignments={"1": "x"}).warnings[0]


def test_the_nearest_name_is_suggested_and_strict_refuses():
    parameters = read_interface(
        interface({"Name": "pipeline_arg", "DefaultValue": "10", "Type": "0"})
    )
    assert (
        "Did you mean pipeline_arg?"
        in resolve(parameters, assignments={"Pipeline_Args": 1}).warnings[0]
    )
    with pytest.raises(ParameterErrors, match="Did you mean pipeline_arg"):
        resolve(parameters, assignments={"pipelinearg": 1}, strict=True)


def test_all_errors_come_at_once():
    rows = [{"Name": name, "DefaultValue": "1", "Type": "0"} for name in "ab"]
    with pytest.raises(ParameterErrors) as refused:
        resolve(read_interface(interface(*rows)), assignments={"a": "x", "b": "y"})
    assert set(refused.value.errors) == {"a", "b"}


def test_data_paths():
    parameters = read_interface(
        interface(
            paths=[
                {
                    "Name": "dp",
                    "DefaultValue": {"DataStoreName": "store", "RelativePath": "in/a"},
                    "DataTypeId": "AnyFile",
                }
            ]
        )
    )
    assert resolve(parameters).values == {"dp": "store/in/a"}
    given_path = {"dataStoreName": "store", "relativePath": "in/b"}
    for options in ({"datapaths": {"dp": given_path}}, {"assignments": {"dp": "store/in/b"}}):
        result = resolve(parameters, **options)
        assert result.datapaths == {"dp": {"DataStoreName": "store", "RelativePath": "in/b"}}
        assert result.values == {"dp": "store/in/b"}
    with pytest.raises(ParameterErrors, match="give it in DataPathAssignments"):
        resolve(parameters, datasets={"dp": SAVED})
    with pytest.raises(ParameterErrors, match="DataStoreName"):
        resolve(parameters, datapaths={"dp": {"RelativePath": "x"}})


def test_datasets():
    row = {"Name": "ds", "DefaultValue": {"DataSetReference": {"Id": "ef80", "Version": "1"}}}
    parameters = read_interface(interface(datasets=[row]), {"ds": SAVED})
    assert resolve(parameters).datasets == {"ds": SAVED}
    swapped = {"savedDatasetReference": {"id": "99"}}
    result = resolve(parameters, datasets={"ds": swapped})
    assert result.datasets == {"ds": {"SavedDataSetReference": {"Id": "99"}}}
    assert result.provenance == {"ds": "Caller"}
    named = {"DataSetReference": {"Name": "titanic", "Version": 2}}
    assert resolve(parameters, datasets={"ds": named}).datasets["ds"] == {
        "DataSetReference": {"Name": "titanic", "Version": "2"}
    }
    with pytest.raises(ParameterErrors, match="DataSetDefinitionValueAssignments"):
        resolve(parameters, assignments={"ds": "99"})
    with pytest.raises(ParameterErrors, match="SavedDataSetReference"):
        resolve(parameters, datasets={"ds": {}})


def test_a_dataset_parameter_without_default_must_be_supplied():
    parameters = with_dataset_nodes(read_interface(interface()), ["ds_param"])
    with pytest.raises(ParameterErrors, match=r"ds_param \(dataset\) has no default"):
        resolve(parameters)
    assert resolve(parameters, datasets={"ds_param": SAVED}).datasets == {"ds_param": SAVED}


def test_a_preset_stands_between_default_and_caller():
    rows = [{"Name": name, "DefaultValue": "1", "Type": "0"} for name in "abc"]
    result = resolve(
        read_interface(interface(*rows)),
        presets={"b": 2, "c": 2},
        assignments={"c": 3},
        caller="Schedule",
    )
    assert result.values == {"a": "1", "b": "2", "c": "3"}
    assert result.provenance == {"a": "Default", "b": "Preset", "c": "Schedule"}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(st.sampled_from("01234"), st.sampled_from(["1", "True", "0.5", "x", None]), anything)
def test_any_value_becomes_a_text_or_a_refusal(code, default, given_value):
    try:
        result = value(one(default, code), given_value)
    except ParameterErrors:
        return
    assert isinstance(result.values["p"], str)


@given(anything)
def test_any_reference_is_read_or_refused(given_value):
    parameters = read_interface(interface(paths=[{"Name": "dp"}]), {"ds": SAVED})
    for options in ({"datapaths": {"dp": given_value}}, {"datasets": {"ds": given_value}}):
        try:
            resolve(parameters, **options)
        except ParameterErrors:
            pass
