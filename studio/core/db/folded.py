"""Case-insensitive search in every alphabet and on every database: the searched text of a row is
stored folded in a column of its own, and search terms are folded in the same way."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self, TypeVar, cast

from django.db import models, transaction


def fold(text: str) -> str:
    """Normalise and fold case: `Größe`, `GRÖSSE` and the same with decomposed accents are one
    text."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


class FoldedField(models.TextField):  # type: ignore[type-arg]  # it takes none as it runs
    """The columns `of` its row as one folded text, written whenever they are."""

    def __init__(self, *, of: Any = (), **options: Any) -> None:
        self.of = tuple(of)
        super().__init__(**{"editable": False, "default": "", **options})

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, "of": list(self.of)}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        value = self.text_of({name: getattr(model_instance, name) for name in self.of})
        setattr(model_instance, self.attname, value)
        return value

    def text_of(self, row: Mapping[str, Any]) -> str:
        return fold("\n".join(_text(row[name]) for name in self.of))


def _folded_field(model: type[models.Model]) -> FoldedField:
    return cast("FoldedField", model._meta.get_field("folded"))


def _text(value: object) -> str:
    if isinstance(value, Mapping):  # tags
        return "\n".join(f"{key}={item}" for key, item in value.items())
    return str(value or "")


Row = TypeVar("Row", bound=models.Model)


class FoldedQuerySet(models.QuerySet[Row]):
    """Queries of a model that has a FoldedField `folded`."""

    def searched(self, text: str) -> Self:
        """The rows whose searched columns contain `text`."""
        return self.filter(folded__contains=fold(text))

    def update(self, **values: Any) -> int:
        field = _folded_field(self.model)
        if not values.keys() & set(field.of):
            return super().update(**values)
        with transaction.atomic():
            keys = list(self.order_by().values_list("pk", flat=True))
            rows = self.model._base_manager.using(self.db).filter(pk__in=keys)
            count = super().update(**values)  # which holds them
            for row in rows.values("pk", *field.of):
                rows.filter(pk=row["pk"]).update(folded=field.text_of(row))
            return count

    update.alters_data = True  # type: ignore[attr-defined]  # read by templates


class FoldedModel(models.Model):
    """Saving some columns of a row also saves the folded text."""

    objects = FoldedQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        of = _folded_field(type(self)).of
        if update_fields is not None and not set(of).isdisjoint(update_fields):
            update_fields = {*update_fields, "folded"}
        super().save(*args, update_fields=update_fields, **options)
