"""GridRequest: the one description of a picture. API payload, URL query, cache key, metadata of a saved picture."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from cfg_core.checks import choice, number, shown, text
from cfg_core.guidance.rules import RULES
from cfg_core.sampling.samplers import SAMPLERS

W_RANGE = (-1.0, 8.0)


SAMPLES_RANGE = (1, 64)


STEPS_RANGE = (1, 1024)


SEED_RANGE = (0, 2**32 - 1)


MAX_PICTURES = 4096


@dataclass(frozen=True)
class GridRequest:
    """Pictures of every class and every w, grown from the same noises 0 … samples − 1 of a seed.

    checkpoint: hash of the weights. classes: labels. w: the paper's guidance strength, −1 (unconditional) to 8.
    samples: noises, each used for every class and w. Raises ValueError, in one sentence, for a field out of range.
    """

    checkpoint: str
    classes: tuple[int, ...]
    w: tuple[float, ...] = (3.0,)
    samples: int = 16
    seed: int = 7
    sampler: str = "dpmpp_2m"
    steps: int = SAMPLERS["dpmpp_2m"].default_steps
    rule: str = "cfg"

    def __post_init__(self) -> None:
        number("samples", self.samples, *SAMPLES_RANGE, whole=True)
        number("seed", self.seed, *SEED_RANGE, whole=True)
        choice("sampler", self.sampler, SAMPLERS)
        number("steps", self.steps, *STEPS_RANGE, whole=True)
        choice("rule", self.rule, RULES)
        text("checkpoint", self.checkpoint)
        for field in ("classes", "w"):
            values = getattr(self, field)
            if not isinstance(values, tuple) or not values:
                raise ValueError(f"{field} must be a tuple of at least one number, got {shown(values)}")
        for label in self.classes:
            number("class", label, 0, 1e9, whole=True)
        for w in self.w:
            number("w", w, *W_RANGE)
        number("classes × w × samples", self.pictures, 1, MAX_PICTURES, whole=True)

    @property
    def pictures(self) -> int:
        return len(self.classes) * len(self.w) * self.samples

    @property
    def evaluations(self) -> int:
        """How many evaluations each picture takes."""
        return SAMPLERS[self.sampler].evaluations(self.steps)

    @classmethod
    def parse(cls, raw: Mapping[str, Any], checkpoint: str, classes: int) -> "GridRequest":
        """A request as it arrives from outside: numbers, or their text as in a URL query.

        ``class`` is a label, several ("0,3") or "all"; ``w`` a number or several; ``model`` the checkpoint's hash; what
        is absent takes its default, and class that of label 0. Raises ValueError, in one sentence, for anything else.
        """
        unknown = raw.keys() - {"class", "model", "w", "samples", "seed", "sampler", "steps", "rule"}
        if unknown:
            raise ValueError(f"{shown(min(unknown))} is not a field of a request")
        model = raw.get("model", checkpoint)
        if model != checkpoint:
            raise ValueError(f"model must be {checkpoint}, the checkpoint that runs here, got {shown(model)}")
        fields: Any = {"checkpoint": checkpoint}
        fields |= {name: raw[name] for name in ("sampler", "rule") if name in raw}
        fields |= {name: _number(raw[name]) for name in ("samples", "seed", "steps") if name in raw}
        if "sampler" in raw and "steps" not in raw:
            fields["steps"] = SAMPLERS[choice("sampler", raw["sampler"], SAMPLERS)].default_steps
        if "w" in raw:
            fields["w"] = tuple(float(number("w", w, *W_RANGE)) for w in _several(raw["w"]))
        label = raw.get("class", 0)
        labels = tuple(range(classes)) if label == "all" else _several(label)
        fields["classes"] = tuple(number("class", each, 0, classes - 1, whole=True) for each in labels)
        return cls(**fields)

    def to_query(self, classes: int) -> dict[str, str]:
        """The fields as ``parse`` takes them back, all as text."""
        every = self.classes == tuple(range(classes)) and classes > 1
        return {
            "class": "all" if every else ",".join(map(str, self.classes)),
            "w": ",".join(repr(float(w)).removesuffix(".0") for w in self.w),
            "seed": str(self.seed),
            "samples": str(self.samples),
            "sampler": self.sampler,
            "steps": str(self.steps),
            "rule": self.rule,
            "model": self.checkpoint,
        }

    def to_url(self, classes: int) -> str:
        return "?" + urlencode(self.to_query(classes), safe=",")

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "GridRequest":
        """The inverse of ``to_json``; raises ValueError for anything else."""
        try:
            raw = json.loads(text)
        except RecursionError:
            raise ValueError("a request must be a JSON object, got one nested too deeply") from None
        if not isinstance(raw, dict) or raw.keys() != cls.__dataclass_fields__.keys():
            raise ValueError(f"a request must have the fields {', '.join(cls.__dataclass_fields__)}, got {shown(raw)}")
        fields: Any = {field: tuple(value) if isinstance(value, list) else value for field, value in raw.items()}
        return cls(**fields)


def _number(value: Any) -> Any:
    """The number that a text spells, or the value as it is for the range check to refuse."""
    if not isinstance(value, str) or len(value) > 40:
        return value
    text = value.strip()
    try:
        return int(text) if text.lstrip("+-").isdecimal() else float(text)
    except ValueError:
        return value


def _several(value: Any) -> tuple[Any, ...]:
    if isinstance(value, str):
        return tuple(_number(part) for part in value[:10_000].split(","))
    return tuple(value) if isinstance(value, list | tuple) else (value,)
