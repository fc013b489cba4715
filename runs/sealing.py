"""Values of secret parameters in the database: `{"secret": ciphertext}` instead of text. Whatever
shows a run's parameters uses `shown`; only the start of a step uses `opened`."""

from collections.abc import Collection, Mapping
from typing import Any

from studio.core.secrets import decrypt, encrypt

MASK = "********"


def is_sealed(value: object) -> bool:
    return isinstance(value, Mapping) and set(value) == {"secret"}


def sealed(values: Mapping[str, str], secret_names: Collection[str]) -> dict[str, Any]:
    return {
        name: {"secret": encrypt(value).decode()} if name in secret_names else value
        for name, value in values.items()
    }


def opened(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: decrypt(value["secret"].encode()) if is_sealed(value) else value
        for name, value in parameters.items()
    }


def shown(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: MASK if is_sealed(value) else value for name, value in parameters.items()}


def secret_names(parameters: Mapping[str, Any]) -> set[str]:
    return {name for name, value in parameters.items() if is_sealed(value)}


def without_secrets(request: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The request as it may be stored: values under names of secret parameters are masked, even if
    the key above them is misspelt."""
    return {
        key: {name: MASK if name in names else item for name, item in value.items()}
        if isinstance(value, Mapping)
        else value
        for key, value in request.items()
    }
