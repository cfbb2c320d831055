"""A scene of the 2-D lab: the validated settings that its samples, densities and trajectories depend on."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import torch

from cfg_core.checks import choice, number, shown
from cfg_core.diffusion.mixture import MixtureDenoiser, three_gaussians
from cfg_core.guidance.rules import rules
from cfg_core.parameters import resolve
from cfg_core.sampling.loop import check_sampler, parameters_of, samplers_for
from cfg_core.sampling.samplers import SAMPLERS
from cfg_core.toy2d.densities import DENSITIES

CLASSES = ("A", "B", "C")

WEAKER_BLUR = 0.5
"""Standard deviation by which the weaker model of autoguidance takes each class to be blurred."""

RULES = rules(three_gaussians().with_weaker(WEAKER_BLUR))
"""The guidance rules that apply to samples of two dimensions."""

PARAMETERS = frozenset(p.name for rule in RULES for sampler in SAMPLERS for p in parameters_of(sampler, rule))
"""The names of all parameters that some rule or sampler has."""

SPREAD = 0.5
"""Standard deviation of each class, a Gaussian with the same variance along both axes."""

REACH = 2.5
"""Means lie in the square [−REACH, REACH]²."""

VIEW = 3.5
"""The page displays the square [−VIEW, VIEW]², in which all but one in a thousand points of the initial noise lie."""

MEASURED = 6.0
"""Distances are measured in the square [−MEASURED, MEASURED]². The tilted density of any scene has its mass inside."""

W_RANGE = (0.0, 8.0)
STEPS_RANGE = (1, 200)
LANGEVIN_RANGE = (0, 8)
POINTS_RANGE = (100, 2000)
SEED_RANGE = (0, 2**32 - 1)


@dataclass(frozen=True)
class Scene:
    """One setting of the 2-D lab. Raises ValueError, in one sentence, for a field out of range.

    means: of the classes A, B and C. label: the class that is sampled. langevin: Langevin steps at every noise level.
    resampled: Feynman–Kac correction, which takes plain guidance and a sampler that follows the reverse diffusion.
    points: the number of samples. density: which of DENSITIES is displayed behind them. parameters: of the rule and the
    sampler, pairs (name, value); kept are those that are not at their defaults, sorted.
    """

    means: tuple[tuple[float, float], ...] = ((0.0, 1.0), (-0.87, -0.5), (0.87, -0.5))
    label: int = 0
    w: float = 3.0
    rule: str = "cfg"
    sampler: str = "dpmpp_2m"
    steps: int = 50
    langevin: int = 0
    resampled: bool = False
    points: int = 500
    seed: int = 7
    density: str = "tilted"
    parameters: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        _check_means(self.means)
        number("class", self.label, 0, len(CLASSES) - 1, whole=True)
        number("w", self.w, *W_RANGE)
        choice("rule", self.rule, RULES)
        choice("sampler", self.sampler, SAMPLERS)
        check_sampler(self.sampler, self.rule)
        number("steps", self.steps, *STEPS_RANGE, whole=True)
        number("langevin", self.langevin, *LANGEVIN_RANGE, whole=True)
        number("points", self.points, *POINTS_RANGE, whole=True)
        number("seed", self.seed, *SEED_RANGE, whole=True)
        choice("density", self.density, DENSITIES)
        usual = resolve(parameters_of(self.sampler, self.rule), {})
        changed = [(name, value) for name, value in self.values.items() if value != usual[name]]
        object.__setattr__(self, "parameters", tuple(changed))
        self._check_corrections()

    def _check_corrections(self) -> None:
        if self.langevin and RULES[self.rule].renoises:
            raise ValueError(f"langevin must be 0 for the rule {self.rule}, got {self.langevin}")
        if not isinstance(self.resampled, bool):
            raise ValueError(f"resampled must be true or false, got {shown(self.resampled)}")
        if self.resampled and not (self.rule == "cfg" and SAMPLERS[self.sampler].diffuses(self.values)):
            raise ValueError(
                "resampled needs the rule cfg and a sampler that adds all of the reverse diffusion's noise "
                f"(dpmpp_2m_sde or ddim with eta 1, ancestral), got {self.rule} and {self.sampler}"
            )

    @property
    def evaluations(self) -> int:
        """The number of evaluations of each sample."""
        return SAMPLERS[self.sampler].evaluations(self.steps) + self.langevin * self.steps

    @property
    def values(self) -> dict[str, float]:
        """All parameters of the rule and the sampler."""
        return resolve(parameters_of(self.sampler, self.rule), dict(self.parameters))

    @classmethod
    def parse(cls, raw: Any) -> "Scene":
        """A scene from a JSON object, in which ``class`` is the label and parameters stand under their own names;
        absent fields take their defaults.

        Raises ValueError for anything but an object, for an unknown field, and as the constructor does.
        """
        if not isinstance(raw, Mapping):
            raise ValueError(f"a scene must be an object, got {shown(raw)}")
        known = {*(field.name for field in fields(cls)), *PARAMETERS, "class"} - {"label", "parameters"}
        if unknown := raw.keys() - known:
            raise ValueError(f"{shown(min(unknown, key=str))} is not a field of a scene")
        given = {"label" if name == "class" else name: value for name, value in raw.items()}
        given = {**_usual_sampler(given), **given}
        given["parameters"] = tuple((name, given.pop(name)) for name in PARAMETERS & given.keys())
        if isinstance(given.get("means"), list):
            given["means"] = tuple(tuple(mean) if isinstance(mean, list) else mean for mean in given["means"])
        return cls(**given)

    def to_json(self) -> dict[str, Any]:
        """The inverse of ``parse``."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        del plain["parameters"]
        return {"class": plain.pop("label")} | plain | {"means": [list(mean) for mean in self.means]} | self.values

    def mixture(self) -> MixtureDenoiser:
        """The exact denoiser of the three classes, equally probable."""
        means = [[mean] for mean in self.means]
        return MixtureDenoiser(means, torch.full((len(CLASSES), 1), SPREAD**2), classes=CLASSES).with_weaker(
            WEAKER_BLUR
        )


def _usual_sampler(given: Mapping[str, Any]) -> dict[str, str]:
    """The sampler where none is given: one that may be used with the rule, and for particles one that diffuses."""
    if given.get("resampled") is True:
        return {"sampler": "dpmpp_2m_sde"}
    able = samplers_for(given["rule"]) if given.get("rule") in RULES else list(SAMPLERS)
    return {} if Scene.sampler in able else {"sampler": able[0]}


def _check_means(means: Any) -> None:
    pairs = isinstance(means, tuple) and all(isinstance(mean, tuple) and len(mean) == 2 for mean in means)
    if not pairs or len(means) != len(CLASSES):
        raise ValueError(f"means must be {len(CLASSES)} points of two numbers each, got {shown(means)}")
    for mean in means:
        for coordinate in mean:
            number("means", coordinate, -REACH, REACH)
