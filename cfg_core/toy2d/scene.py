"""A scene of the 2-D lab: the validated settings that its samples, densities and trajectories depend on."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cfg_core.checks import boolean, choice, number, shown
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
"""Standard deviation of each component, a Gaussian with the same variance along both axes."""

REACH = 2.5
"""Means lie in the square [−REACH, REACH]²."""

MOST_MEANS = 4
"""Means that a class has at most; it has at least one."""

HALVES = (3.5, 4.5, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
"""The page displays the smallest of the squares [−half, half]² that holds all samples. In the first lie the means, and
all but one in a thousand points of the initial noise."""

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

    means: of the components, Gaussians of equal weight within their class. owners: the class of each mean. label: the
    class that is sampled. langevin: Langevin steps at every noise level. resampled: Feynman–Kac correction, which takes
    plain guidance and a sampler that follows the reverse diffusion. points: the number of samples. density: which of
    DENSITIES is displayed behind them. parameters: of the rule and the sampler, pairs (name, value); kept are those
    that are not at their defaults, sorted.
    """

    means: tuple[tuple[float, float], ...] = ((0.0, 1.0), (-0.87, -0.5), (0.87, -0.5))
    owners: tuple[int, ...] = (0, 1, 2)
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
        _check_means(self.means, self.owners)
        _check_owners(self.owners, len(self.means))
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
        boolean("resampled", self.resampled)
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
        if isinstance(given.get("owners"), list):
            given["owners"] = tuple(given["owners"])
        return cls(**given)

    def to_json(self) -> dict[str, Any]:
        """The inverse of ``parse``."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        del plain["parameters"]
        lists = {"means": [list(mean) for mean in self.means], "owners": list(self.owners)}
        return {"class": plain.pop("label")} | plain | lists | self.values

    def mixture(self) -> MixtureDenoiser:
        """The exact denoiser of the classes, equally probable.

        All classes must have as many components there; where one has fewer, its first stands more than once, with an
        equal share of its weight.
        """
        own = [[mean for mean, owner in zip(self.means, self.owners, strict=True) if owner == c] for c in _LABELS]
        most = max(map(len, own))
        means, weights = [], []
        for each in own:
            times = most - len(each) + 1
            means.append([each[0]] * times + each[1:])
            weights.append([1 / len(each) / times] * times + [1 / len(each)] * (len(each) - 1))
        spread = torch.full((len(CLASSES), most), SPREAD**2)
        mixture = MixtureDenoiser(means, spread, component_weights=weights, classes=CLASSES)
        return mixture.with_weaker(WEAKER_BLUR)


_LABELS = range(len(CLASSES))


def half_of(*points: NDArray[np.floating[Any]]) -> float:
    """The half side of the square that is displayed for points, (…, 2) each: the smallest of HALVES that holds them, or
    the largest."""
    extent = max((float(np.abs(each).max()) for each in points if each.size), default=0.0)
    return next((half for half in HALVES if extent <= half), HALVES[-1])


def _usual_sampler(given: Mapping[str, Any]) -> dict[str, str]:
    """The sampler where none is given: one that may be used with the rule, and for particles one that diffuses."""
    if given.get("resampled") is True:
        return {"sampler": "dpmpp_2m_sde"}
    rule = given.get("rule")
    able = samplers_for(rule) if isinstance(rule, str) and rule in RULES else list(SAMPLERS)
    return {} if Scene.sampler in able else {"sampler": able[0]}


def _check_means(means: Any, owners: Any) -> None:
    """How many there may be of each class is said of the owners, where these are as many."""
    low, high = len(CLASSES), MOST_MEANS * len(CLASSES)
    pairs = isinstance(means, tuple) and all(isinstance(mean, tuple) and len(mean) == 2 for mean in means)
    counted = pairs and isinstance(owners, tuple) and len(owners) == len(means)
    if not pairs or not (counted or low <= len(means) <= high):
        raise ValueError(f"means must be {low} to {high} points of two numbers each, got {shown(means)}")
    for mean in means:
        for coordinate in mean:
            number("means", coordinate, -REACH, REACH)


def _check_owners(owners: Any, means: int) -> None:
    if not isinstance(owners, tuple) or len(owners) != means:
        raise ValueError(f"owners must be the classes of the {means} means, a whole number each, got {shown(owners)}")
    for owner in owners:
        number("owners", owner, 0, len(CLASSES) - 1, whole=True)
    for label, name in enumerate(CLASSES):
        if not 1 <= (count := Counter(owners)[label]) <= MOST_MEANS:
            raise ValueError(f"class {name} must have 1 to {MOST_MEANS} components, got {count}")
