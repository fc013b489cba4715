"""The environment of package builds: the worker's tools, proxies and certificates, but none of its secrets."""

import json
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

KEPT = re.compile(
    r"PATH|USER|LOGNAME|LANG|LC_.+|TZ|TMPDIR"
    r"|SSL_CERT_(FILE|DIR)|(REQUESTS_CA|CURL_CA)_BUNDLE|GIT_SSL_CAINFO|(?i:(https?|all|no)_proxy)"
    # For packages without a wheel, which are compiled.
    r"|CC|CXX|CPP|FC|AR|LD|NM|RANLIB|STRIP|(C|CXX|CPP|F|LD|MAKE|RUST)FLAGS|LD_LIBRARY_PATH"
    r"|(C|CPLUS)_INCLUDE_PATH|CPATH|LIBRARY_PATH|PKG_CONFIG_PATH|CUDA_HOME|JAVA_HOME|SDKROOT"
    r"|MACOSX_DEPLOYMENT_TARGET|CONDA_(PREFIX|BUILD_SYSROOT)|PYENV_ROOT|RUSTUP_(HOME|TOOLCHAIN)"
    # Settings of uv, except where it finds packages.
    r"|UV_(OFFLINE|NATIVE_TLS|SYSTEM_CERTS|HTTP_.+|REQUEST_TIMEOUT|CONCURRENT_.+|LINK_MODE)"
)
# The keys of uv's configuration that say where packages come from.
INDEX_KEYS = {
    *("index", "index-url", "extra-index-url", "find-links", "no-index", "index-strategy"),
    "allow-insecure-host",
}


def build_environment(home: Path) -> dict[str, str]:
    """The variables of uv and of the package builds that it starts; caches are in `home`."""
    kept = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}
    rustup = Path.home() / ".rustup"
    if rustup.is_dir():  # otherwise found through HOME, which builds do not get
        kept.setdefault("RUSTUP_HOME", str(rustup))
    return {
        **kept,
        "HOME": str(home),
        "NO_COLOR": "1",
        "UV_NO_PROGRESS": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }


def write_settings(folder: Path) -> Path:
    """Write a file that tells uv where packages come from. Builds must not see it, since an index's address
    may contain a password; so it is neither a variable nor a file in their home."""
    path = folder / "uv.toml"
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix="uv-", suffix=".tmp")  # 0600
    with os.fdopen(descriptor, "w") as file:
        file.write(_toml(index_settings(os.environ)))
    Path(temporary).replace(path)
    return path


def index_settings(environ: Mapping[str, str]) -> dict[str, Any]:
    """Where the worker's own uv gets packages: from its configuration files, overridden by its variables."""
    found = {key: value for key, value in _configured(environ).items() if key in INDEX_KEYS}
    for name in ("UV_INDEX_URL", "UV_INDEX_STRATEGY"):
        if environ.get(name):
            found[_key(name)] = environ[name]
    for name in ("UV_EXTRA_INDEX_URL", "UV_INSECURE_HOST"):
        if environ.get(name):
            found[_key(name)] = environ[name].split()
    if environ.get("UV_FIND_LINKS"):
        found["find-links"] = [link for link in environ["UV_FIND_LINKS"].split(",") if link]
    if environ.get("UV_NO_INDEX", "").lower() in ("1", "true", "yes", "on"):
        found["no-index"] = True
    indexes = [_index(text, environ) for text in environ.get("UV_INDEX", "").split()]
    if environ.get("UV_DEFAULT_INDEX"):
        indexes.append({**_index(environ["UV_DEFAULT_INDEX"], environ), "default": True})
    if indexes:
        found["index"] = indexes
    return found


@cache
def workers_pip_settings() -> Mapping[str, str]:
    """`pip_settings` of this worker, cached for all steps."""
    return pip_settings(os.environ)


def pip_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The same settings as variables for a step's pip, without those that contain a password."""
    settings = index_settings(environ)
    indexes = settings.get("index", [])
    default = [index["url"] for index in indexes if index.get("default")]
    more = [index["url"] for index in indexes if not index.get("default")]
    ways = [environ.get(name, "") for name in ("https_proxy", "HTTPS_PROXY")]
    bundles = [
        environ.get(name, "") for name in ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
    ]
    found = {
        "PIP_INDEX_URL": [*default, settings.get("index-url", "")][:1],
        "PIP_EXTRA_INDEX_URL": [*more, *settings.get("extra-index-url", [])],
        "PIP_FIND_LINKS": settings.get("find-links", []),
        "PIP_NO_INDEX": ["1"] if settings.get("no-index") else [],
        "PIP_PROXY": [way for way in ways if way][:1],
        "PIP_CERT": [bundle for bundle in bundles if bundle][:1],
    }
    texts = {name: " ".join(filter(None, values)) for name, values in found.items()}
    return {name: text for name, text in texts.items() if text and "@" not in text}


def _key(variable: str) -> str:
    word = variable.removeprefix("UV_").lower().replace("_", "-")
    return "allow-insecure-host" if word == "insecure-host" else word


def _configured(environ: Mapping[str, str]) -> dict[str, Any]:
    own = Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "uv" / "uv.toml"
    named = environ.get("UV_CONFIG_FILE")
    found: dict[str, Any] = {}
    for path in [Path(named)] if named else [Path("/etc/uv/uv.toml"), own]:
        try:
            found |= tomllib.loads(path.read_text())
        except (OSError, ValueError):
            continue
    return found


def _index(text: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """Parse `name=address` or an address. User and password of a named index come from variables."""
    match = re.fullmatch(r"(?:(?P<name>[\w.-]+)=)?(?P<url>.+)", text)
    name, url = match.group("name", "url") if match else ("", text)
    if not name:
        return {"url": url}
    prefix = f"UV_INDEX_{re.sub(r'[^A-Z0-9]', '_', name.upper())}_"
    user, password = (environ.get(prefix + part, "") for part in ("USERNAME", "PASSWORD"))
    if user or password:
        signed = f"{quote(user, safe='')}:{quote(password, safe='')}@"
        url = re.sub(r"^(\w+://)(?:[^/@]*@)?", rf"\g<1>{signed}", url)
    return {"name": name, "url": url}


def _toml(settings: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_value(value)}\n" for key, value in settings.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)} = {_value(item)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(_value(item) for item in value)}]"
    return json.dumps(value, ensure_ascii=False)
