from django.template import Context, Template

from endpoints.graph.layout import layout
from studio.core.ui.drawing import drawing, laid_out

FACTS = {
    "ds": {"name": "customers", "kind": "dataset", "sub": "v 4", "url": "/datasets/1/"},
    "a": {"name": "prepare", "url": "/a/", "state": "Completed", "duration": "12s"},
    "b": {"name": 'train <"x">', "url": "/b/", "state": "Running"},
}
PLACES = layout(["ds", "a", "b"], [("ds", "a"), ("a", "b")])


def nodes():
    return {node["id"]: node for node in drawing(laid_out(PLACES, FACTS))["nodes"]}


def test_nodes_say_their_place_and_what_they_need():
    assert nodes()["b"]["place"] == "step 2 of 2"
    assert nodes()["b"]["needs"] == "needs prepare"
    assert nodes()["ds"]["place"] == "dataset"


def test_arrow_keys_can_follow_the_edges():
    assert nodes()["a"]["next"] == "b"
    assert nodes()["b"]["next"] == ""


def test_an_edge_into_a_running_step_runs():
    states = {edge["target"]: edge["state"] for edge in laid_out(PLACES, FACTS)["edges"]}
    assert states == {"a": "", "b": "Running"}


def test_a_dataset_is_lower_than_a_step_but_stands_where_its_edge_leaves():
    dataset = nodes()["ds"]
    box = PLACES.boxes[0]
    assert float(dataset["y"]) + float(dataset["h"]) == box.y + box.height
    assert float(dataset["h"]) < box.height


def test_the_drawing_has_real_links_with_names_and_no_inline_style():
    html = Template("{% graph graph poll_url='/g/' %}").render(
        Context({"graph": laid_out(PLACES, FACTS)})
    )
    assert 'href="/b/"' in html
    assert 'aria-label="train &lt;&quot;x&quot;&gt;, Running, step 2 of 2, needs prepare"' in html
    assert 'hx-get="/g/"' in html
    assert "style=" not in html


def test_an_empty_graph_is_an_empty_drawing():
    assert drawing(laid_out(layout([], []), {}))["nodes"] == []
