"""Translates conda package matches to pip requirements. There is no conda here: a package is installed
from the Python package index, or refused with its name."""

import re

from packaging.specifiers import InvalidSpecifier, SpecifierSet

# Packages that have another name in the package index.
INDEX_NAMES = {
    "dask-core": "dask",
    "matplotlib-base": "matplotlib",
    "msgpack-python": "msgpack",
    "opencv": "opencv-python-headless",
    "py-lightgbm": "lightgbm",
    "py-opencv": "opencv-python-headless",
    "py-xgboost": "xgboost",
    "py-xgboost-cpu": "xgboost",
    "pyarrow-core": "pyarrow",
    "pytables": "tables",
    "python-graphviz": "graphviz",
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "seaborn-base": "seaborn",
    "tensorflow-base": "tensorflow",
    "tensorflow-gpu": "tensorflow",
}

# Programs and native libraries. Under these names the package index has nothing, or something else.
NOT_PYTHON = re.compile(
    r"(_.+|r|r-.*|cuda|cudatoolkit|cuda-(?!python).*|cudnn|nccl|gcc.*|gxx.*|gfortran.*|ld_impl_.*|openjdk|maven"
    r"|lib(gcc|gfortran|stdcxx|gomp|blas|cblas|lapack|openblas|ffi|png|jpeg|tiff|webp|xml2|xslt|iconv|curl|uv"
    r"|zlib|sqlite|uuid|nsl|expat).*|nodejs|yarn|perl|ruby|go|rust|git|git-lfs|curl|wget|ffmpeg|openssl"
    r"|ca-certificates|make|cmake|blas|nomkl|openmpi|mpich|openblas|zlib|bzip2|sqlite|tk|ncurses|readline|xz"
    r"|python_abi|poppler|tesseract|geos|proj|graphviz|anaconda|miniconda|conda|mamba)"
)
_MATCH = re.compile(r"^(?:[\w.\-/]+::)?(?P<name>[A-Za-z0-9_][\w.\-]*)\s*(?P<version>.*)$")
_EXACT = re.compile(r"^=?\s*(?P<version>[\w.!+]+)(?:\s*=\s*|\s+)(?P<build>[\w.*]+)$")
_FUZZY = re.compile(r"^=?\s*(?P<version>[\w.!+]*[\w])(?:\.?\*)?$")


def split_match(text: str) -> tuple[str, str]:
    """`conda-forge::Numpy = 1.21` -> (`numpy`, `==1.21.*`); ValueError if there is no such translation."""
    match = _MATCH.match(text.strip())
    if not match:
        raise ValueError("it is not a conda package match")
    return match["name"].lower(), version_specifier(match["version"].strip())


def version_specifier(version: str) -> str:
    """In conda, `=1.21` and `1.21.*` match a prefix, `==1.21` and `=1.21=py38_0` (with a build) one version."""
    if not version or version in ("*", "=*"):
        return ""
    if version.startswith("=="):
        specifier = "==" + version[2:].split("=", maxsplit=1)[0].strip()
    elif version[0] in "<>!~":
        specifier = version.replace(" ", "")
    elif exact := _EXACT.match(version):
        specifier = f"=={exact['version']}"
    elif fuzzy := _FUZZY.match(version):
        specifier = f"=={fuzzy['version']}.*"
    else:
        specifier = version
    try:
        SpecifierSet(specifier)
    except InvalidSpecifier:
        raise ValueError(f"the version '{version}' cannot be read") from None
    return specifier


def requirement(name: str, specifier: str) -> str:
    if NOT_PYTHON.fullmatch(name):
        raise ValueError("it is not a Python package, and only Python packages can be installed")
    return INDEX_NAMES.get(name, name) + specifier
