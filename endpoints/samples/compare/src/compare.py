"""Compares the misses with a threshold of `--param1` twentieths and draws both, without any package."""

import argparse
import json
from pathlib import Path

from azureml.core import Run

WIDTH, HEIGHT, EDGE = 640, 360, 40


def draw(model, misses, threshold):
    """The points, the trained line, and in another colour the points that miss it by too much."""
    points = model["points"]
    right = max(x for x, _ in points)
    top = max(y for _, y in points) * 1.05

    def place(x, y):
        across = EDGE + x / right * (WIDTH - 2 * EDGE)
        return f"{across:.1f}", f"{HEIGHT - EDGE - y / top * (HEIGHT - 2 * EDGE):.1f}"

    marks = []
    for (x, y), miss in zip(points, misses, strict=True):
        colour = "#c2410c" if miss > threshold else "#0f766e"
        left, down = place(x, max(y, 0))
        marks.append(f'<circle cx="{left}" cy="{down}" r="4" fill="{colour}"/>')
    x1, y1 = place(0, model["offset"])
    x2, y2 = place(right, model["slope"] * right + model["offset"])
    base = HEIGHT - EDGE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        f"<title>Misses above {threshold}</title>"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
        f'<path d="M{EDGE} {EDGE}V{base}H{WIDTH - EDGE}" fill="none" stroke="#475569"/>'
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#334155" stroke-width="2"/>'
        f"{''.join(marks)}"
        f'<text x="{EDGE}" y="24" font-family="sans-serif" font-size="14" fill="#0f172a">'
        f"threshold {threshold}: {sum(miss > threshold for miss in misses)} of {len(misses)}</text></svg>"
    )


parser = argparse.ArgumentParser()
parser.add_argument("--comp_data1", required=True)
parser.add_argument("--comp_data2", required=True)
parser.add_argument("--output_data", required=True)
parser.add_argument("--param1", type=int, default=10)
arguments = parser.parse_args()

model = json.loads((Path(arguments.comp_data1) / "model.json").read_text())
misses = json.loads((Path(arguments.comp_data2) / "misses.json").read_text())
threshold = arguments.param1 / 20
above = sum(miss > threshold for miss in misses)

run = Run.get_context()
run.log("pipeline_arg", arguments.param1)
run.log("above_threshold", above)
run.log("share_above", above / len(misses))
run.log_row("summary", threshold=threshold, above=above, below=len(misses) - above)

plot = draw(model, misses, threshold)
Path("outputs").mkdir(exist_ok=True)
Path("outputs/comparison.svg").write_text(plot)
output = Path(arguments.output_data)
output.mkdir(parents=True, exist_ok=True)
(output / "comparison.svg").write_text(plot)
(output / "report.json").write_text(json.dumps({"threshold": threshold, "above": above}))
print(f"param1 = {arguments.param1}: {above} of {len(misses)} points miss by more than {threshold}")
