"""Requests of Explore: parsed, restored from a link, written for the page."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from cfg_core.grids.ladder import strip
from cfg_core.grids.request import BESIDE, FIELDS, GridRequest
from cfg_core.guidance.rule import Rule
from cfg_core.guidance.rules import RULES
from cfg_core.sampling.samplers import SAMPLERS, Sampler
from cfg_core.serving.registry import ModelRegistry
from cfg_core.serving.sessions import Demand

STRIP_PICTURES = 80
"""Grids of more pictures have no strip: it would take long to fill, and much to send."""


class PageRequests:
    """Requests of the page: one w, and one class or all of them."""

    def __init__(self, models: ModelRegistry) -> None:
        self._models = models

    def parse(self, raw: Mapping[str, Any]) -> GridRequest:
        """The guided grid's request. Raises ValueError for anything else."""
        request = self._models.request(raw)
        if len(request.w) != 1:
            raise ValueError(f"w must be one number here, got {len(request.w)}")
        if len(request.classes) != 1 and request.classes != tuple(range(self._classes(request))):
            raise ValueError(f"class must be one label or all here, got {len(request.classes)} labels")
        return request

    def pair(self, payload: Mapping[str, Any]) -> tuple[GridRequest, GridRequest]:
        """{request, reference} → the guided grid's request and that of the reference, the left grid; by default the
        same at w = 0. Raises ValueError."""
        raw, other = payload.get("request"), payload.get("reference")
        guided = self.parse(raw if isinstance(raw, Mapping) else {})
        if not isinstance(other, Mapping):
            return guided, replace(guided, w=(0.0,))
        reference, engine = self.parse(other), self._models.engine
        if reference.checkpoint != guided.checkpoint:
            ours, theirs = (engine.checkpoints[each.checkpoint] for each in (guided, reference))
            if ours.config.classes != theirs.config.classes:
                raise ValueError(f"model of reference must have the classes of {ours.hash}, got {theirs.hash}")
            if engine.is_remote(ours.hash) or engine.is_remote(theirs.hash):
                raise ValueError(f"model of reference must be {ours.hash} where a remote GPU draws, got {theirs.hash}")
        return guided, reference

    def restore(self, query: Mapping[str, Any], problem: str = "") -> tuple[GridRequest, str]:
        """The request of a link. An invalid field takes its default, and a message names it.

        problem: what was found wrong with the link before.
        """
        fields: dict[str, Any] = {}
        problems = [problem] if problem else []

        def take(names: Iterable[str], *given: str) -> None:
            """Take over what is right of these fields, each tried with those it depends on."""
            for name in names:
                if name in query:
                    try:
                        self.parse({**{each: fields[each] for each in given if each in fields}, name: query[name]})
                        fields[name] = query[name]
                    except ValueError as error:
                        problems.append(str(error))

        take(("model",))
        own = [name for name in FIELDS if name not in ("model", *BESIDE)]
        take(own, "model")  # it decides which classes and rules there are
        owners = RULES[fields.get("rule", GridRequest.rule)], SAMPLERS[fields.get("sampler", GridRequest.sampler)]
        of_both = [each["name"] for owner in owners for each in parameters(owner)]
        take([*BESIDE, *of_both], "model", "rule", "sampler")
        try:
            request = self.parse(fields)
        except ValueError as error:  # each is fine, together they are not
            problems.append(str(error))
            request = self.parse({})
        return request, f"In this link, {'; '.join(problems)}." if problems else ""

    def fields(self, request: GridRequest) -> dict[str, Any]:
        """A request as the page keeps it."""
        every = len(request.classes) > 1
        return {
            "model": request.checkpoint,
            "class": "all" if every else request.classes[0],
            "w": request.w[0],
            "seed": request.seed,
            "samples": request.samples,
            "sampler": request.sampler,
            "steps": request.steps,
            "rule": request.rule,
            **dict(request.parameters),
        }

    def url(self, request: GridRequest) -> str:
        """The query of its link."""
        return request.to_url(self._classes(request))

    def _classes(self, request: GridRequest) -> int:
        return len(self._models.engine.checkpoints[request.checkpoint].config.classes)


def parameters(owner: Rule | Sampler) -> list[dict[str, Any]]:
    """The declared parameters of a rule or sampler, as the page renders them."""
    return [asdict(parameter) for parameter in owner.parameters]


def demand_of(guided: GridRequest, reference: GridRequest) -> Demand:
    """What the page displays, and the strips that it may display next: that of the guided grid, and that of the
    reference where it follows the slider."""
    if max(guided.pictures, reference.pictures) > STRIP_PICTURES:
        return Demand((guided, reference))
    rungs = strip(guided)
    if follows(reference, guided):
        rungs = tuple(request for pair in zip(rungs, strip(reference), strict=True) for request in pair)
    return Demand((guided, reference), rungs)


def follows(reference: GridRequest, guided: GridRequest) -> bool:
    """Whether the reference is another grid at the same w, which changes with the slider."""
    return reference.w == guided.w and reference != guided


def same_but_w(request: GridRequest, other: GridRequest) -> bool:
    return replace(request, w=other.w) == other
