"""GridRequest: the one description of a grid. API payload, URL query, cache key, metadata of a saved sheet."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlencode

from cfg_core.checks import choice, number, parse_json, shown, text
from cfg_core.diffusion.denoiser import CLASSIFIER, WEAKER
from cfg_core.guidance.rules import RULES
from cfg_core.parameters import resolve
from cfg_core.sampling.loop import check_sampler, parameters_of, samplers_for
from cfg_core.sampling.samplers import SAMPLERS

VERSION = 2
"""Version of the JSON format. Version 1 has no field ``version``, and neither parameters nor guide nor weaker."""


W_RANGE = (-1.0, 8.0)


SAMPLES_RANGE = (1, 64)


STEPS_RANGE = (1, 1024)


SEED_RANGE = (0, 2**32 - 1)


MAX_PICTURES = 4096


PARAMETERS = tuple(sorted({p.name for rule in RULES for sampler in SAMPLERS for p in parameters_of(sampler, rule)}))
"""The names of all parameters that some rule or sampler has."""


BESIDE = {"guide": CLASSIFIER, "weaker": WEAKER}
"""The fields of the networks beside the model, each with the source of a rule's evaluations that it is."""


FIELDS = ("model", "class", "w", "seed", "samples", "sampler", "steps", "rule", *BESIDE)
"""The fields of a request in a URL or from the API, beside its parameters."""


@dataclass(frozen=True)
class GridRequest:
    """Samples of every class and every w, grown from the same noises 0 … samples − 1 of a seed.

    checkpoint: hash of the weights. classes: labels. w: the paper's guidance strength, −1 (unconditional) to 8.
    samples: noises, each used for every class and w. parameters: of the rule and the sampler; given as a mapping or as
    pairs, kept as pairs (name, value) of all that they have, sorted, so that equal grids are equal requests. guide,
    weaker: hashes of the noise-aware classifier and of the weaker sibling where the rule needs one, "" where it needs
    none or none is recorded.

    Raises ValueError, in one sentence, for a field out of range.
    """

    checkpoint: str
    classes: tuple[int, ...]
    w: tuple[float, ...] = (3.0,)
    samples: int = 16
    seed: int = 7
    sampler: str = "dpmpp_2m"
    steps: int = SAMPLERS["dpmpp_2m"].default_steps
    rule: str = "cfg"
    parameters: tuple[tuple[str, float], ...] = ()
    guide: str = ""
    weaker: str = ""

    def __post_init__(self) -> None:
        number("samples", self.samples, *SAMPLES_RANGE, whole=True)
        number("seed", self.seed, *SEED_RANGE, whole=True)
        choice("sampler", self.sampler, SAMPLERS)
        number("steps", self.steps, *STEPS_RANGE, whole=True)
        choice("rule", self.rule, RULES)
        check_sampler(self.sampler, self.rule)
        text("checkpoint", self.checkpoint)
        values = resolve(parameters_of(self.sampler, self.rule), _mapping(self.parameters))
        object.__setattr__(self, "parameters", tuple(values.items()))
        for field in BESIDE:
            if text(field, getattr(self, field)) and not self.needs(field):
                raise ValueError(f"{field} must be empty for the rule {self.rule}, got {shown(getattr(self, field))}")
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
        """The number of evaluations of each image."""
        return SAMPLERS[self.sampler].evaluations(self.steps)

    def needs(self, field: str) -> bool:
        """Whether the rule needs the network of that field of BESIDE."""
        return BESIDE[field] in RULES[self.rule].sources

    @property
    def changed(self) -> dict[str, float]:
        """The parameters that differ from their defaults."""
        defaults = {p.name: p.default for p in parameters_of(self.sampler, self.rule)}
        return {name: value for name, value in self.parameters if value != defaults[name]}

    def guided_by(self, guide: str = "", weaker: str = "") -> "GridRequest":
        """The request with the hashes of the loaded classifier and weaker sibling, recorded where its rule needs them.

        Raises ValueError where another hash is recorded already.
        """
        hashes: dict[str, Any] = {"guide": guide, "weaker": weaker}
        loaded = {field: digest for field, digest in hashes.items() if self.needs(field)}
        for field, digest in loaded.items():
            if getattr(self, field) not in ("", digest):
                raise ValueError(
                    f"{field} must be {digest or 'left out'}, the loaded one, got {shown(getattr(self, field))}"
                )
        return replace(self, **loaded)

    @classmethod
    def parse(
        cls, raw: Mapping[str, Any], checkpoint: str, classes: int, guide: str = "", weaker: str = ""
    ) -> "GridRequest":
        """A request from a URL query or the API: numbers, or texts of them.

        ``class`` is a label, several ("0,3") or "all"; ``w`` a number or several; ``model`` the checkpoint's hash;
        parameters stand under their own names, or together in a mapping ``parameters``; what is absent takes its
        default, class that of label 0, and the sampler one that the rule may be used with. guide, weaker: hashes of the
        model's noise-aware classifier and weaker sibling, which the request records where its rule needs one. Raises
        ValueError, in one sentence, for anything else.
        """
        unknown = raw.keys() - {*FIELDS, *PARAMETERS, "parameters"}
        if unknown:
            raise ValueError(f"{shown(min(unknown))} is not a field of a request")
        model = raw.get("model", checkpoint)
        if model != checkpoint:
            raise ValueError(f"model must be {checkpoint}, the loaded checkpoint, got {shown(model)}")
        fields: Any = {"checkpoint": checkpoint}
        fields |= {name: raw[name] for name in ("sampler", "rule") if name in raw}
        fields |= {name: _number(raw[name]) for name in ("samples", "seed", "steps") if name in raw}
        fields |= {name: raw[name] for name in BESIDE if name in raw}
        if "w" in raw:
            fields["w"] = tuple(float(number("w", w, *W_RANGE)) for w in _several("w", raw["w"]))
        label = raw.get("class", 0)
        labels = tuple(range(classes)) if label == "all" else _several("class", label)
        fields["classes"] = tuple(number("class", each, 0, classes - 1, whole=True) for each in labels)
        flat = {name: raw[name] for name in PARAMETERS if name in raw}
        given = {**flat, **_mapping(raw.get("parameters", {}))}
        fields["parameters"] = {name: _number(value) for name, value in given.items()}
        return cls(**_with_sampler(fields)).guided_by(guide, weaker)

    def to_query(self, classes: int) -> dict[str, str]:
        """The fields as ``parse`` takes them back, all as text; of the parameters those that are not the default."""
        every = self.classes == tuple(range(classes)) and classes > 1
        return {
            "class": "all" if every else ",".join(map(str, self.classes)),
            "w": ",".join(map(_shortest, self.w)),
            "seed": str(self.seed),
            "samples": str(self.samples),
            "sampler": self.sampler,
            "steps": str(self.steps),
            "rule": self.rule,
            "model": self.checkpoint,
            **{name: _shortest(value) for name, value in self.changed.items()},
            **{field: getattr(self, field) for field in BESIDE if getattr(self, field)},
        }

    def to_url(self, classes: int) -> str:
        return "?" + urlencode(self.to_query(classes), safe=",")

    def to_json(self) -> str:
        return json.dumps({"version": VERSION, **asdict(self), "parameters": dict(self.parameters)})

    @classmethod
    def from_json(cls, text: str) -> "GridRequest":
        """The inverse of ``to_json``, of this version or an older one; a field that is absent takes its default.

        Raises ValueError, in one sentence, for anything else.
        """
        raw = parse_json("a request", text)
        if not isinstance(raw, dict) or not {"checkpoint", "classes"} <= raw.keys():
            raise ValueError(f"a request must be a JSON object with checkpoint and classes, got {shown(raw)}")
        number("version", raw.pop("version", 1), 1, VERSION, whole=True)
        if unknown := raw.keys() - cls.__dataclass_fields__.keys():
            known = ", ".join(cls.__dataclass_fields__)
            raise ValueError(f"a request must have no fields but version, {known}, got {shown(min(unknown))}")
        fields: Any = {field: tuple(value) if isinstance(value, list) else value for field, value in raw.items()}
        return cls(**_with_sampler(fields))


def _with_sampler(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields, with a sampler that the rule may be used with where none is given, and with the sampler's default
    steps where it is given without steps or is not the default."""
    found = dict(fields)
    if "rule" in found and "sampler" not in found:
        able = samplers_for(choice("rule", found["rule"], RULES))
        found |= {} if GridRequest.sampler in able else {"sampler": able[0]}
    if "sampler" in found and "steps" not in found:
        found["steps"] = SAMPLERS[choice("sampler", found["sampler"], SAMPLERS)].default_steps
    return found


def _mapping(parameters: Any) -> Mapping[str, Any]:
    """Parameters as a mapping, from one or from pairs. Raises ValueError for anything else."""
    if isinstance(parameters, Mapping):
        return parameters
    pairs = isinstance(parameters, tuple) and all(isinstance(pair, tuple) and len(pair) == 2 for pair in parameters)
    if not pairs:
        raise ValueError(f"parameters must be an object of names and numbers, got {shown(parameters)}")
    return dict(parameters)


def _shortest(value: float) -> str:
    """The shortest text that is read back as the same number."""
    return repr(float(value)).removesuffix(".0")


def _number(value: Any) -> Any:
    """The number in a text; any other value unchanged, for the range check to refuse."""
    if not isinstance(value, str) or len(value) > 40:
        return value
    text = value.strip()
    try:
        return int(text) if text.lstrip("+-").isdecimal() else float(text)
    except ValueError:
        return value


def _several(field: str, value: Any) -> tuple[Any, ...]:
    """One value, or several: a list, or a text with commas. Raises ValueError for more than a grid may have."""
    if not isinstance(value, str | list | tuple):
        return (value,)
    count = value.count(",") + 1 if isinstance(value, str) else len(value)
    if count > MAX_PICTURES:
        raise ValueError(f"{field} must be at most {MAX_PICTURES} numbers, got {count}")
    return tuple(map(_number, value.split(","))) if isinstance(value, str) else tuple(value)
