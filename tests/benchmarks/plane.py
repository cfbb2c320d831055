"""python -m tests.benchmarks.plane

How far guidance's samples are from the tilted density, over samplers, steps and Langevin correction: the table of
docs/toy2d.md.
"""

from collections.abc import Iterator
from dataclasses import replace

from cfg_core.toy2d.drawing import draw_scene, executor
from cfg_core.toy2d.scene import Scene
from cfg_core.toy2d.trajectory import draw_trajectory
from tests.benchmarks.timing import Row, interleaved, milliseconds

RUNS = (("dpmpp_2m", 12, 0), ("dpmpp_2m", 50, 0), ("dpmpp_2m", 200, 0), ("dpmpp_2m", 50, 4))
RUNS += (("ddim", 50, 0), ("ddim", 200, 0), ("ddim", 50, 4), ("heun", 50, 0), ("heun", 50, 4))
RUNS += (("ancestral", 50, 0), ("ancestral", 200, 0), ("ancestral", 50, 4))
STRENGTHS = (0.0, 1.0, 3.0, 8.0)


def rows(rounds: int) -> Iterator[Row]:
    """A scene of 500 points in 50 steps, with its distance and its density; and its film."""
    drawn, filmed = interleaved(
        [
            lambda: executor().submit(draw_scene, Scene()).result(),
            lambda: executor().submit(draw_trajectory, Scene()).result(),
        ],
        rounds,
    )
    yield Row(
        "The 2-D lab's 500 points in 50 steps, with distance and density", milliseconds(drawn), "", "", "< 100 ms"
    )
    yield Row("The way of these, with every step's density and score", milliseconds(filmed), "")


def main() -> None:
    print("| sampler | steps | Langevin |" + "".join(f" w = {w:g} |" for w in STRENGTHS))
    print("|---|---|---|" + "---|" * len(STRENGTHS))
    for sampler, steps, langevin in RUNS:
        scene = Scene(sampler=sampler, steps=steps, langevin=langevin, points=1000)
        drawn = [draw_scene(replace(scene, w=w)) for w in STRENGTHS]
        print(
            f"| {sampler} | {steps} | {langevin} |" + "".join(f" {each.distance:.3f} |" for each in drawn), flush=True
        )
    print("| 1,000 exact draws | | |" + "".join(f" {each.exact_distance:.3f} |" for each in drawn))


if __name__ == "__main__":
    main()
