import shutil

from runs.steps.base import Order, StepRefused
from runs.steps.process_limits import LONGEST_TEXT, size


class CommandRunner:
    """A shell command in the working copy of the snapshot, with the environment's Python first on PATH."""

    def argv(self, order: Order) -> list[str]:
        if not order.command:
            raise StepRefused(f"Step {order.name} names no command.")
        if size(order.command) > LONGEST_TEXT:
            raise StepRefused(
                f"The command of step {order.name} has {size(order.command):,} bytes with its"
                f" arguments, but at most {LONGEST_TEXT:,} are allowed. Put long values into a file, or"
                " use a PythonScriptStep."
            )
        return [shutil.which("bash") or "/bin/sh", "-c", order.command]
