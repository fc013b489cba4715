"""Limits for YAML: aliases of aliases and deep nesting can make a short text huge."""

from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is twenty times as fast
DEEPEST = 100


class OutOfBounds(ValueError):
    """The message says which limit; it completes a sentence about the text."""


def load(text: str, *, most: int) -> Any:
    """The document as plain values; `most` limits their number, with aliases followed."""
    _check(text, most)
    node = yaml.compose(text, Loader=LOADER)
    if node is None:
        return None
    if weight(node, most) > most:
        raise OutOfBounds(f"stands for more than {most:,} values")
    return yaml.constructor.SafeConstructor().construct_document(node)


def _check(text: str, most: int) -> None:
    """Checks events before anything is built: libyaml's composer recurses without limit."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=LOADER)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise OutOfBounds(f"is nested more than {DEEPEST} levels deep")
        if count > 2 * most:
            raise OutOfBounds(f"has more than {most:,} values")


def weight(node: yaml.Node, budget: int) -> int:
    """The number of values in a node; counting stops soon after `budget`."""
    total = 1
    children = []
    if isinstance(node, yaml.SequenceNode):
        children = node.value
    elif isinstance(node, yaml.MappingNode):
        children = [part for pair in node.value for part in pair]
    for child in children:
        total += weight(child, budget - total)
        if total > budget:
            break
    return total
