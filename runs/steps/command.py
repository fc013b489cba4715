import shutil

from runs.steps.base import Order, StepRefused


class CommandRunner:
    """A shell command in the working copy of the snapshot, with the environment's Python first on PATH."""

    def argv(self, order: Order) -> list[str]:
        if not order.command:
            raise StepRefused(f"Step {order.name} names no command.")
        return [shutil.which("bash") or "/bin/sh", "-c", order.command]
