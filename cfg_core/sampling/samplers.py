"""Samplers as pure steps: ``start(noise, log_snrs) → State`` and ``advance(state, prediction) → State``.

A sampler never calls a network: ``advance`` consumes exactly one evaluation, made at ``state.log_snr``. All of them end
the same way: at the last λ the sample becomes the prediction x̃ itself (paper, Algorithm 2).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from torch import Tensor

from cfg_core.diffusion.noise import Noise
from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.spacings import SPACINGS
from cfg_core.parameters import Parameter, Values


@dataclass(frozen=True)
class State:
    """The state of B samples at one step of a sequence of λ, from noise to clean.

    z: (B, …). log_snrs: (T,) increasing, float64, on the CPU. at: index of the λ to evaluate next. noise: step →
    (B, …). evaluations: made so far. x: (B, …), the latest clean-sample prediction, None before the first. memory: of
    the sampler, from evaluation to evaluation. guidance: memory of the guidance rule from the previous steps, and
    pending: the one it will have once the current step is done; only the loop uses both (cfg_core.guidance.rule).
    """

    z: Tensor
    log_snrs: Tensor
    noise: Noise
    at: int = 0
    evaluations: int = 0
    x: Tensor | None = None
    memory: Any = None
    guidance: Any = None
    pending: Any = None

    @property
    def done(self) -> bool:
        return self.at == len(self.log_snrs)

    @property
    def log_snr(self) -> Tensor:
        """λ of the next evaluation, one for each sample: (B,), float64, on the CPU."""
        return self.log_snrs[self.at].expand(len(self.z))


def start(noise: Noise, log_snrs: Tensor) -> State:
    """z ~ N(0, I) at the noisiest λ."""
    return State(noise(0), log_snrs.double(), noise)


Advance = Callable[[State, Prediction], State]


@dataclass(frozen=True)
class Sampler:
    """advance: one evaluation further; takes its own parameters as keywords, with their defaults. spacing: a name in
    spacings.SPACINGS. evaluations: how many evaluations T steps take. between: whether a state is between two steps,
    not within one. renoises: whether z' is made of x̃ and ε̃, and not of z: then ε̃ need not be that of x̃. diffuses:
    whether, at these values of its parameters, it follows the reverse diffusion, with all of its noise."""

    advance: Advance
    spacing: str
    default_steps: int
    title: str
    own_parameters: tuple[Parameter, ...] = ()
    evaluations: Callable[[int], int] = lambda steps: steps
    between: Callable[[State], bool] = lambda state: True
    renoises: bool = False
    diffuses: Callable[[Values], bool] = lambda values: False

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The sampler's own parameters, and those of its spacing."""
        return self.own_parameters + SPACINGS[self.spacing].parameters

    def bound(self, values: Values) -> "Sampler":
        """The sampler with these values of its own parameters."""
        own = {parameter.name: values[parameter.name] for parameter in self.own_parameters}
        return replace(self, advance=partial(self.advance, **own), own_parameters=())


def _moved(state: State, prediction: Prediction, z: Tensor, memory: Any = None, step: int = 1) -> State:
    return replace(state, z=z, x=prediction.x, at=state.at + step, evaluations=state.evaluations + 1, memory=memory)


def _levels(state: State) -> tuple[float, float] | None:
    """λ_t and λ_{t+1}, or None at the last step."""
    if state.at == len(state.log_snrs) - 1:
        return None
    return float(state.log_snrs[state.at]), float(state.log_snrs[state.at + 1])


def _alpha_sigma(log_snr: float) -> tuple[float, float]:
    return math.sqrt(1 / (1 + math.exp(-log_snr))), math.sqrt(1 / (1 + math.exp(log_snr)))


def transition(log_snr: float, next_log_snr: float, v: float) -> tuple[float, float, float]:
    """Paper, section 2: the moments of p(z_λ' | z_λ), λ < λ': mean = a z + b x, and its standard deviation.

    variance = (σ̃²_{λ'|λ})^{1−v} (σ²_{λ|λ'})^v, between the posterior's (v = 0) and the forward process's (v = 1).
    """
    alpha, sigma = _alpha_sigma(log_snr)
    next_alpha, next_sigma = _alpha_sigma(next_log_snr)
    kept = math.exp(log_snr - next_log_snr)
    lost = -math.expm1(log_snr - next_log_snr)
    deviation = math.sqrt(lost) * next_sigma ** (1 - v) * sigma**v
    return kept * next_alpha / alpha, lost * next_alpha, deviation


def ancestral(state: State, prediction: Prediction, v: float = 0.3) -> State:
    """The paper's sampler (Algorithm 2): z' = a z + b x̃ + deviation · n, with the moments of ``transition``.

    v in [0, 1] interpolates the variance; 0.3 as for the paper's 64×64 models.
    """
    levels = _levels(state)
    if levels is None:
        return _moved(state, prediction, prediction.x)
    a, b, deviation = transition(*levels, v)
    mean = a * state.z + b * prediction.x
    return _moved(state, prediction, mean + deviation * state.noise(state.at + 1))


def ddim(state: State, prediction: Prediction, eta: float = 0.0) -> State:
    """DDIM (Song et al., arXiv 2010.02502, eq. 12), with s² = η² σ̃²_{λ'|λ}, the posterior's variance:

        z' = α' x̃ + √(σ'² − s²) ε̃ + s n

    η = 0 is deterministic, η = 1 the ancestral sampler with v = 0.
    """
    levels = _levels(state)
    if levels is None:
        return _moved(state, prediction, prediction.x)
    alpha, sigma = _alpha_sigma(levels[1])
    deviation = eta * transition(*levels, v=0.0)[2]
    z = alpha * prediction.x + math.sqrt(sigma**2 - deviation**2) * prediction.eps
    if eta:
        z = z + deviation * state.noise(state.at + 1)
    return _moved(state, prediction, z)


def dpm_solver_2m(state: State, prediction: Prediction, eta: float = 0.0) -> State:
    """DPM-Solver++(2M) (Lu et al., arXiv 2211.01095, Algorithm 2): multistep, second order in h = Δλ/2.

        D  = x̃ + h/(2 h_prev) (x̃ − x̃_prev)
        z' = σ'/σ e^{−ηh} z + α' (1 − e^{−(1+η)h}) D + σ' √(1 − e^{−2ηh}) n

    η = 0 solves the probability flow, η = 1 the reverse diffusion (their SDE-DPM-Solver++(2M), Appendix D.3).
    """
    levels = _levels(state)
    if levels is None:
        return _moved(state, prediction, prediction.x)
    (_, sigma), (next_alpha, next_sigma) = (_alpha_sigma(level) for level in levels)
    h = (levels[1] - levels[0]) / 2
    x = prediction.x
    if state.memory is not None:
        previous_x, previous_h = state.memory
        x = x + (h / (2 * previous_h)) * (x - previous_x)
    z = (next_sigma / sigma * math.exp(-eta * h)) * state.z - (next_alpha * math.expm1(-(1 + eta) * h)) * x
    if eta:
        z = z + (next_sigma * math.sqrt(-math.expm1(-2 * eta * h))) * state.noise(state.at + 1)
    return _moved(state, prediction, z, memory=(prediction.x, h))


def heun(state: State, prediction: Prediction) -> State:
    """EDM's second-order sampler (Karras et al., arXiv 2206.00364, Algorithm 1), stepping x̂ = z/α over σ_E = σ/α.

    There dx̂/dσ_E = ε̃, and a step is x̂' = x̂ + (σ_E' − σ_E) (ε̃(x̂, σ_E) + ε̃(x̂_Euler, σ_E'))/2. Two evaluations a step,
    the second at the Euler step's end; the last step has one.
    """
    if state.memory is not None:  # second evaluation: redo the step with the mean of both slopes
        z, first = state.memory
        slope = (first + prediction.eps) / 2
        return _moved(state, prediction, _euler(z, slope, state.log_snrs[state.at - 1 : state.at + 1]), step=0)
    if _levels(state) is None:
        return _moved(state, prediction, prediction.x)
    z = _euler(state.z, prediction.eps, state.log_snrs[state.at : state.at + 2])
    return _moved(state, prediction, z, memory=(state.z, prediction.eps))


def _euler(z: Tensor, slope: Tensor, levels: Tensor) -> Tensor:
    (alpha, sigma), (next_alpha, next_sigma) = (_alpha_sigma(float(level)) for level in levels)
    return next_alpha * (z / alpha + (next_sigma / next_alpha - sigma / alpha) * slope)


ETA = Parameter("eta", "η", 0.0, 1.0, 0.0, 0.05, "noise added at each step: 0 none, 1 as much as the reverse diffusion")
V = Parameter("v", "v", 0.0, 1.0, 0.3, 0.05, "variance of a step, between the posterior's (0) and the diffusion's (1)")


def _with_all_noise(values: Values) -> bool:
    return values["eta"] == 1


SAMPLERS: dict[str, Sampler] = {
    "dpmpp_2m": Sampler(dpm_solver_2m, "edm", 12, "DPM-Solver++ 2M"),
    "dpmpp_2m_sde": Sampler(
        partial(dpm_solver_2m, eta=1.0),
        "midpoint",
        12,
        "DPM-Solver++ 2M, with noise",
        own_parameters=(replace(ETA, default=1.0),),
        diffuses=_with_all_noise,
    ),
    "ddim": Sampler(ddim, "midpoint", 32, "DDIM", own_parameters=(ETA,), renoises=True, diffuses=_with_all_noise),
    "heun": Sampler(
        heun,
        "edm",
        12,
        "EDM Heun",
        evaluations=lambda steps: 2 * steps - 1,
        between=lambda state: state.memory is None,
    ),
    "ancestral": Sampler(
        ancestral, "uniform", 256, "Ancestral (the paper's)", own_parameters=(V,), diffuses=lambda values: True
    ),
}
"""Name in requests → sampler."""
