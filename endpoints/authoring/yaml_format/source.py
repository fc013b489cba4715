"""YAML values that know their position: every error names the file, the line and the key."""

from pathlib import Path
from typing import Any

import yaml
from django.core.exceptions import ValidationError

from endpoints.parameters import nearest
from studio.core.yaml_bounds import weight

MAX_BYTES = 1 << 20
MAX_NODES = 20_000  # an alias counts at each use: a few lines could stand for millions


class YamlError(ValidationError):
    """`pipeline.yml:12: steps.train.script_name: …`"""


class _Loader(yaml.SafeLoader):
    """Refuses characters that no column and no JSON can hold, which escapes in YAML can produce."""

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:
        node = super().compose_scalar_node(anchor)
        if any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in node.value):
            raise yaml.MarkedYAMLError(
                problem=f"The text {node.value[:80]!a} contains a NUL or half of a surrogate pair",
                problem_mark=node.start_mark,
            )
        return node


class _Plain(yaml.constructor.SafeConstructor):
    """Keeps a number such as 1.10 or 007, which would be written differently, as text."""

    def number(self, node: yaml.ScalarNode) -> Any:
        value = super().yaml_constructors[node.tag](self, node)
        return value if str(value) == node.value else node.value


for _tag in ("int", "float"):
    _Plain.add_constructor(f"tag:yaml.org,2002:{_tag}", _Plain.number)  # type: ignore[type-var]  # stubs know loaders


class Value:
    """A node of a YAML document, with the keys that lead to it."""

    def __init__(
        self, node: yaml.Node, file: str, keys: tuple[str, ...] = (), line: int | None = None
    ):
        self.node = node
        self.file = file
        self.keys = keys
        self.line = line or node.start_mark.line + 1

    def fail(self, reason: str) -> YamlError:
        where = ".".join(self.keys) or "document"
        return YamlError(f"{self.file}:{self.line}: {where}: {reason}")

    @property
    def is_null(self) -> bool:
        return self.node.tag == "tag:yaml.org,2002:null"

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.node, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        return isinstance(self.node, yaml.SequenceNode)

    def mapping(self, allowed: frozenset[str] | None = None) -> dict[str, "Value"]:
        """The values by key; an empty section is an empty mapping. Keys that are not `allowed` are
        refused."""
        if self.is_null:
            return {}
        if not isinstance(self.node, yaml.MappingNode):
            raise self.fail("Expected a mapping of keys to values.")
        found: dict[str, Value] = {}
        for key_node, node in self.node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise Value(key_node, self.file, self.keys).fail("A key must be a plain text.")
            key = key_node.value
            value = Value(node, self.file, (*self.keys, key), line)
            if key in found:
                raise value.fail("This key stands here twice.")
            if allowed is not None and key not in allowed:
                raise value.fail(f"Unknown key. {_suggest(key, allowed)}")
            found[key] = value
        return found

    def items(self) -> list["Value"]:
        if self.is_null:
            return []
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.fail("Expected a list.")
        return [
            Value(node, self.file, (*self.keys, str(index)))
            for index, node in enumerate(self.node.value)
        ]

    def text(self) -> str:
        """A scalar as it is spelled: `version: 1.0` is the text 1.0."""
        if not isinstance(self.node, yaml.ScalarNode) or self.is_null:
            raise self.fail("Expected a text.")
        return str(self.node.value)

    def name(self) -> str:
        text = self.text().strip()
        if not text:
            raise self.fail("This text must not be empty.")
        return text

    def boolean(self) -> bool:
        if self.node.tag != "tag:yaml.org,2002:bool":
            raise self.fail("Expected true or false.")
        return self.node.value.lower() in ("true", "yes", "on")

    def count(self) -> int:
        text = self.text() if isinstance(self.node, yaml.ScalarNode) and not self.is_null else ""
        if not (text.isascii() and text.isdigit()) or len(text) > 9:
            raise self.fail("Expected a whole number of at least 0.")
        return int(text)

    def choice(self, *allowed: str) -> str:
        text = self.text()
        if text not in allowed:
            raise self.fail(f"Expected one of {', '.join(allowed)}.")
        return text

    def plain(self) -> Any:
        """This node and all below as ordinary Python values."""
        if weight(self.node, MAX_NODES) > MAX_NODES:
            raise self.fail("This section is too large.")
        try:
            return _Plain().construct_document(self.node)
        except yaml.YAMLError as error:
            raise self.fail(str(error).splitlines()[0]) from error
        except (ValueError, OverflowError, LookupError, AttributeError, TypeError) as error:
            # PyYAML raises these for 2001-13-45, !!int "" and similar.
            raise self.fail(
                "A value below cannot be read as what it is tagged or looks like."
            ) from error


def load(path: Path, *, shown: str | None = None) -> Value:
    """The document in `path`; `shown` is the file's name in errors."""
    shown = shown or path.name
    if not path.is_file():
        raise YamlError(f"{shown}: There is no such file.")
    if path.stat().st_size > MAX_BYTES:
        raise YamlError(f"{shown}: The file is larger than {MAX_BYTES >> 20} MiB.")
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=_Loader)
    except UnicodeDecodeError as error:
        raise YamlError(f"{shown}: The file is not UTF-8 text.") from error
    except RecursionError as error:
        raise YamlError(f"{shown}: The file is nested too deeply.") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise YamlError(f"{shown}:{line}: document: {error.problem or error.context}.") from error
    except yaml.YAMLError as error:
        raise YamlError(f"{shown}: {str(error).splitlines()[0]}.") from error
    except (ValueError, OverflowError) as error:  # \UFFFFFFFF
        raise YamlError(
            f"{shown}: The file escapes a letter that Unicode does not have."
        ) from error
    if node is None:
        raise YamlError(f"{shown}: The file is empty.")
    return Value(node, shown)


def _suggest(key: str, allowed: frozenset[str]) -> str:
    hint = nearest(key, sorted(allowed))
    return hint if hint.startswith("Did") else f"Known here: {', '.join(sorted(allowed))}."
