"""The working directory of one attempt: its code and inputs, the command line, and its outputs.

`<work>/<step uuid>.<attempt>/` is the step's home directory. It holds `code/` (where the step runs),
`inputs/`, `outputs/`, `facts/`, `packages/` (which the step installs itself) and `log`. It is removed
when the attempt is over.
"""

from runs.engine.working_directory.arguments import arguments, command
from runs.engine.working_directory.folder import WorkingDirectory
from runs.engine.working_directory.inputs import check_inputs
from runs.engine.working_directory.make import make
from runs.engine.working_directory.outputs import store_outputs

__all__ = ["WorkingDirectory", "arguments", "check_inputs", "command", "make", "store_outputs"]
