from runs.steps.base import Order, StepRefused


class PythonRunner:
    """`python script.py arguments…` in the working copy of the snapshot."""

    def argv(self, order: Order) -> list[str]:
        script = order.script
        if not script:
            raise StepRefused(f"Step {order.name} names no script.")
        path = (order.code / script).resolve()
        if not path.is_relative_to(order.code.resolve()) or not path.is_file():
            raise StepRefused(f"The script {script} is not in the step's source folder.")
        return [str(order.python), script, *order.arguments]
