"""A laid-out graph as what components/graph.svg prints: every number worked out, every name heard.

The templates cannot compute, and the graph itself (endpoints.layout) knows no languages and no states."""

from collections import defaultdict

from django.utils.translation import gettext

PORT_EDGE = 18  # where text starts inside a node


def drawing(graph: dict) -> dict:
    """See the head of components/graph.svg for what `graph` holds."""
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
            dict(edge, x=_number(edge.get("x", 0)), y=_number(edge.get("y", 0)))
            for edge in graph["edges"]
        ],
    }


def _number(value) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _needs(node, before, names) -> str:
    return ", ".join(names[key] for key in before[str(node["id"])] if key in names)


def _node(node: dict, *, place: tuple, needs: str) -> dict:
    width, height = node["w"], node["h"]
    dataset = node.get("kind") == "dataset"
    middle = height / 2
    start = 32 if dataset else PORT_EDGE
    return dict(node) | {
        "x": _number(node["x"]),
        "y": _number(node["y"]),
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
        "place": gettext("step %(number)s of %(total)s") % {"number": place[0], "total": place[1]}
        if place[0]
        else gettext("dataset"),
        "needs": gettext("needs %(names)s") % {"names": needs} if needs else "",
    }
