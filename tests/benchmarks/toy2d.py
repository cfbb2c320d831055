"""python -m tests.benchmarks.toy2d

Distance of guided samples from the tilted density, over samplers, steps and Langevin correction: the table of
docs/toy2d.md.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from cfg_core.program import print_any_text
from cfg_core.sampling.samplers import SAMPLERS
from cfg_core.toy2d.drawing import draw_scene, executor
from cfg_core.toy2d.scene import Scene
from cfg_core.toy2d.trajectory import draw_trajectory
from tests.benchmarks.timing import Row, interleaved, milliseconds

STEPS_AND_LANGEVIN = ((12, 0), (50, 0), (200, 0), (50, 4))
STRENGTHS = (0.0, 1.0, 3.0, 8.0)


def rows(rounds: int) -> Iterator[Row]:
    """The default scene, 500 points in 50 steps, with its distance and density; and its trajectory."""
    drawings, trajectories = interleaved(
        [
            lambda: executor().submit(draw_scene, Scene()).result(),
            lambda: executor().submit(draw_trajectory, Scene()).result(),
        ],
        rounds,
    )
    yield Row(
        "The 2-D lab's 500 points in 50 steps, with distance and density", milliseconds(drawings), "", "", "< 100 ms"
    )
    yield Row("Their trajectory, with every step's density and score", milliseconds(trajectories), "")


def main() -> None:
    print_any_text()
    print("| sampler | steps | Langevin |" + "".join(f" w = {w:g} |" for w in STRENGTHS))
    print("|---|---|---|" + "---|" * len(STRENGTHS))
    for sampler, (steps, langevin) in product(SAMPLERS, STEPS_AND_LANGEVIN):
        scene = Scene(sampler=sampler, steps=steps, langevin=langevin, points=1000)
        drawn = [draw_scene(replace(scene, w=w)) for w in STRENGTHS]
        print(
            f"| {sampler} | {steps} | {langevin} |" + "".join(f" {each.distance:.3f} |" for each in drawn), flush=True
        )
    print("| 1,000 exact draws | | |" + "".join(f" {each.exact_distance:.3f} |" for each in drawn))


if __name__ == "__main__":
    main()
