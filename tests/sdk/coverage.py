"""What of the SDK works here, by class and method: `coverage.toml`, and README's table from it.

`python -m tests.sdk.coverage` writes the table into README anew.
"""

import ast
import json
import subprocess
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
FLOWS = sorted((HERE / "flows").glob("*.py"))
README = HERE.parent.parent / "README.md"
BEGIN, END = "<!-- sdk coverage -->\n", "<!-- end of sdk coverage -->\n"


def table() -> dict[str, dict[str, dict[str, list[str]]]]:
    """Of each class: the methods that work by the flow that shows it, the others by the reason."""
    written = tomllib.loads((HERE / "coverage.toml").read_text())
    return {
        path: {
            kind: {key: names.split() for key, names in entry.get(kind, {}).items()}
            for kind in ("works", "not")
        }
        for path, entry in written.items()
    }


def members(python: Path, paths: list[str]) -> dict[str, list[str]]:
    """What the SDK itself has, as the Python with it tells."""
    script = str(HERE / "members.py")
    told = subprocess.run([python, script, *paths], capture_output=True, text=True, check=True)
    (line,) = [line for line in told.stdout.splitlines() if line.startswith("members ")]
    return json.loads(line.removeprefix("members "))


def used(flow: str) -> set[str]:
    """The names of all attributes the flow, or a step's script of it, asks anything for."""
    return _attributes(_tree(flow)) | used_in_steps(flow)


def used_in_steps(flow: str) -> set[str]:
    texts = {node.value for node in ast.walk(_tree(flow)) if isinstance(node, ast.Constant)}
    steps = [path for path in (HERE / "flows" / "steps").glob("*.py") if path.name in texts]
    return set().union(*(_attributes(ast.parse(path.read_text())) for path in steps))


def made() -> set[str]:
    """The names of the classes of which any flow makes objects."""
    trees = [_tree(path.stem) for path in FLOWS]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {call.func.id for call in calls if isinstance(call.func, ast.Name)}


def _tree(flow: str) -> ast.Module:
    return ast.parse((HERE / "flows" / f"{flow}.py").read_text())


def _attributes(tree: ast.Module) -> set[str]:
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def rows() -> str:
    """README's table: a class a row."""
    lines = ["| Class | Works | Does not, or was not tried |\n", "|---|---|---|\n"]
    for path, entry in table().items():
        works = sorted(name for names in entry["works"].values() for name in names)
        refused = "; ".join(
            f"{', '.join(f'`{name}`' for name in names)} ({reason})"
            for reason, names in entry["not"].items()
        )
        cells = ", ".join(f"`{name}`" for name in works) or "its constructor"
        lines.append(f"| `{path.rpartition('.')[2]}` | {cells} | {refused} |\n")
    return "".join(lines)


def readme_with(rows: str) -> str:
    before, rest = README.read_text().split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}{rows}{END}{after}"


if __name__ == "__main__":
    README.write_text(readme_with(rows()))
