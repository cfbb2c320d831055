"""Scenes of as many evaluations as a resampled one, whose distances the page shows beside its own."""

from dataclasses import replace

from cfg_core.toy2d.scene import STEPS_RANGE, Scene


def of_same_cost(scene: Scene) -> dict[str, Scene]:
    """A resampled scene by plain guidance, and with Langevin steps, in as many evaluations of each sample, as far as
    there are so many steps: "plain" and "langevin"; of another scene none."""
    if not scene.resampled:
        return {}
    plain = replace(scene, resampled=False, langevin=0, steps=min(scene.evaluations, STEPS_RANGE[1]))
    langevin = max(scene.langevin, 1)
    return {
        "plain": plain,
        "langevin": replace(plain, langevin=langevin, steps=max(1, scene.evaluations // (1 + langevin))),
    }
