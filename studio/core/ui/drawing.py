"""A laid-out graph as components/graph.svg needs it: all numbers computed, all names translated.
Templates cannot compute, and the layout (endpoints.graph.layout) knows no languages and states."""

from collections import defaultdict

from django.utils.translation import gettext

PORT_EDGE = 18  # left edge of text inside a node
DATASET_HEIGHT = 36


def laid_out(layout, facts: dict[str, dict], edges: dict[tuple, dict] | None = None) -> dict:
    """Join positions (an endpoints.graph.layout.Layout) with facts about each node and edge.

    `facts` maps a node's id to name, sub, kind, url, state, reused, duration, current. An edge into
    a running step is drawn as running.
    """
    nodes = [
        {"id": box.id, "x": box.x, "y": box.y, "w": box.width, "h": box.height} | facts[box.id]
        for box in layout.boxes
    ]
    running = {key for key, fact in facts.items() if fact.get("state") == "Running"}
    drawn = [
        {
            "source": path.source,
            "target": path.target,
            "path": path.d,
            "state": "Running" if path.target in running else "",
        }
        | (edges or {}).get((path.source, path.target), {})
        for path in layout.paths
    ]
    return {"width": layout.width, "height": layout.height, "nodes": nodes, "edges": drawn}


def drawing(graph: dict) -> dict:
    """The context of components/graph.svg, whose head describes `graph`."""
    after, before = defaultdict(list), defaultdict(list)
    names = {str(node["id"]): node["name"] for node in graph["nodes"]}
    for edge in graph["edges"]:
        source, target = str(edge.get("source", "")), str(edge.get("target", ""))
        after[source].append(target)
        before[target].append(source)
    steps = [str(node["id"]) for node in graph["nodes"] if node.get("kind") != "dataset"]
    places = {key: number for number, key in enumerate(steps, 1)}
    nodes = [
        _node(
            node, place=(places.get(str(node["id"])), len(steps)), needs=_needs(node, before, names)
        )
        | {"next": " ".join(after[str(node["id"])])}
        for node in graph["nodes"]
    ]
    return {
        "width": _number(graph["width"]),
        "height": _number(graph["height"]),
        "nodes": nodes,
        "edges": [
            {"state": "", "label": ""}
            | edge
            | {"x": _number(edge.get("x", 0)), "y": _number(edge.get("y", 0))}
            for edge in graph["edges"]
        ],
    }


def _number(value) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _needs(node, before, names) -> str:
    return ", ".join(names[key] for key in before[str(node["id"])] if key in names)


def _node(node: dict, *, place: tuple, needs: str) -> dict:
    width, height, y = node["w"], node["h"], node["y"]
    dataset = node.get("kind") == "dataset"
    if dataset and not needs and height > DATASET_HEIGHT:  # edges only leave it, at the bottom
        y, height = y + height - DATASET_HEIGHT, DATASET_HEIGHT
    middle = height / 2
    start = 32 if dataset else PORT_EDGE
    absent = {"sub": "", "url": "", "state": "", "reused": False, "duration": "", "current": False}
    return (
        absent
        | node
        | {
            "x": _number(node["x"]),
            "y": _number(y),
            "w": _number(width),
            "h": _number(height),
            "kind": "dataset" if dataset else "step",
            "start": start,
            "end": _number(width - 14),
            "centre": _number(width / 2),
            "round": _number(middle),
            "icon_x": _number(width - 28),
            "icon_y": _number(middle - 7 if dataset else 11),
            "name_y": _number(middle + 4.5 if dataset else middle - 5),
            "sub_y": _number(middle + 4.5 if dataset else middle + 14),
            "name_room": width
            - start
            - (30 if not dataset else 16 + 7 * len(str(node.get("sub") or ""))),
            "sub_room": width - start - (14 + 7 * len(str(node.get("duration") or ""))),
            "stripe": f"M7 .5H5A4.5 4.5 0 0 0 .5 5v{_number(height - 10)}a4.5 4.5 0 0 0 4.5 4.5h2z",
            "place": gettext("step %(number)s of %(total)s")
            % {"number": place[0], "total": place[1]}
            if place[0]
            else gettext("dataset"),
            "needs": gettext("needs %(names)s") % {"names": needs} if needs else "",
        }
    )
