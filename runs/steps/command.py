import shlex
import shutil

from runs.steps.base import Order, StepRefused


class CommandRunner:
    """A shell command in the working copy of the snapshot, with the environment's Python first on PATH."""

    def argv(self, order: Order) -> list[str]:
        if not order.command and not order.arguments:
            raise StepRefused(f"Step {order.name} names no command.")
        # The command is the author's own shell text; what is put after it are single words.
        words = [order.command] if order.command else []
        text = " ".join([*words, *map(shlex.quote, order.arguments)])
        return [shutil.which("bash") or "/bin/sh", "-c", text]
