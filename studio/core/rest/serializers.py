"""Serializers of the bodies that people write: one declaration reads a body and documents it.

Keys are read in any case, and refusals are those of `Body`. The classes are DRF's, so that the OpenAPI
document is made of them; but `read` uses the declared fields as they are. DRF copies and binds every
field for each request, which takes forty times as long.
"""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.fields import empty

from studio.core.rest.bodies import LONGEST, Body


class _Readable(serializers.Field[Any, Any, Any, Any]):
    """A field of a `WireSerializer`: optional unless it says otherwise. `source` is our name of it."""

    def __init__(self, source: str | None = None, *, required: bool = False, **more: Any) -> None:
        super().__init__(source=source, required=required, **more)

    def of(self, body: Body, key: str) -> Any:
        raise NotImplementedError


class Text(_Readable, serializers.CharField):
    def of(self, body: Body, key: str) -> str:
        return body.text(key, required=self.required, longest=self.max_length)


class NameText(Text):
    """A text that may not be empty, without blanks around it."""

    def __init__(self, source: str | None = None, *, required: bool = True, **more: Any) -> None:
        super().__init__(source, required=required, max_length=LONGEST, **more)

    def of(self, body: Body, key: str) -> str:
        return body.name(key)


class Flag(_Readable, serializers.BooleanField):
    def of(self, body: Body, key: str) -> bool | None:
        return body.flag(key)


class Texts(_Readable, serializers.DictField):
    """An object of texts: tags and properties."""

    child = serializers.CharField()

    def of(self, body: Body, key: str) -> dict[str, str]:
        return body.texts(key)


class Object(_Readable, serializers.DictField):
    """An object that the services check."""

    def of(self, body: Body, key: str) -> dict[str, Any]:
        return body.mapping(key)


class Rows(_Readable, serializers.ListField):
    """A list of objects; `child` is their serializer."""

    def __init__(self, source: str, child: "WireSerializer", **more: Any) -> None:
        super().__init__(source, child=child, **more)
        self.of_rows = child.read

    def of(self, body: Body, key: str) -> list[dict[str, Any]]:
        return [self.of_rows(Body(row, name=key)) for row in body.items(key)]


class WireSerializer(serializers.Serializer[Any]):
    """The keys of a body, in the order in which they are read."""

    _readers: ClassVar[tuple[tuple[str, str, Any], ...]]

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        cls._readers = tuple(
            (key, field.source or key, field) for key, field in cls._declared_fields.items()
        )

    @classmethod
    def read(cls, body: Body) -> dict[str, Any]:
        """The values by our names. A key that the body lacks has its default, or is not there; of
        several keys with one name the first that is there counts."""
        values: dict[str, Any] = {}
        for key, name, field in cls._readers:
            if key in body or field.required:
                values.setdefault(name, field.of(body, key))
            elif field.default is not empty:
                values.setdefault(name, field.get_default())
        return values

    def of(self, body: Body, key: str) -> Any:
        """The value of a key that has such an object."""
        return self.read(Body(body.mapping(key), name=key))
