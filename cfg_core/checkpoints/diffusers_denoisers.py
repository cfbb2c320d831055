"""Networks of diffusers as denoisers: a class-conditional UNet2D on pixels, a DiT on the latents of an autoencoder."""

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from cfg_core.checkpoints.diffusers_schedules import PREDICTIONS, SPACINGS, noise_schedule
from cfg_core.diffusion.denoiser import Denoiser
from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.schedule import DiscreteSchedule

DECODED = 4
"""Latents that are decoded together; a decoder takes far more memory than they do."""


@dataclass(frozen=True)
class DiffusersConfig:
    """A pipeline as its JSON files describe it. kind: the class of its network. network, schedule: their configs, the
    latter with diffusers' own defaults for what is absent."""

    name: str
    kind: str
    classes: tuple[str, ...]
    network: dict[str, Any]
    schedule: dict[str, Any]
    finished: bool = True
    title: str = ""
    opening_label: int = 0

    @property
    def about(self) -> str:
        """The kind of network and the number of classes, in one line."""
        return f"{self.kind} · {len(self.classes):,} classes"


class Network(Protocol):
    """How diffusers' class-conditional networks are called; the output's ``sample`` has the prediction first."""

    def __call__(self, sample: Tensor, timestep: Tensor, *, class_labels: Tensor) -> Any: ...


class DiffusersDenoiser(Denoiser):
    """A network of diffusers' that predicts ε, v or x at N discrete timesteps; λ is that of the nearest one.

    Its rows round differently in batches of another size, so that a picture agrees with itself to float32's accuracy
    and not to the last bit.
    """

    def __init__(self, network: Network, config: DiffusersConfig, device: torch.device, dtype: torch.dtype) -> None:
        self._network, self._dtype = network, dtype
        self._prediction = PREDICTIONS[config.schedule["prediction_type"]]
        self.classes = config.classes
        self.device = device
        self.schedule: DiscreteSchedule = noise_schedule(config.schedule)
        self.spacing = SPACINGS[config.schedule["timestep_spacing"]]
        self.clip = config.schedule["clip_sample_range"] if config.schedule["clip_sample"] else None
        channels, size = config.network["in_channels"], config.network["sample_size"]
        self.shape = (channels, size, size)

    def predict(self, z: Tensor, log_snr: Tensor, labels: Tensor, rows: Tensor, w: Tensor | None = None) -> Prediction:
        self.check_labels(labels)
        z, log_snr = z[rows], log_snr[rows]
        timesteps = self.schedule.timestep(log_snr).to(z.device)
        found = self._network(z.to(self._dtype), timesteps, class_labels=labels.to(z.device)).sample
        predicted = found[:, : self.shape[0]].to(z.dtype)  # the channels after these are the learned variance
        return self._prediction(z, log_snr, predicted)


class LatentDenoiser(DiffusersDenoiser):
    """The same on the latents of an autoencoder, whose decoder turns them into images.

    vae: in float32. Where its config has ``force_upcast``, it decodes in float32 whatever the network computes in.
    Otherwise, where a decoded image is not finite, as activations beyond 65,504 in float16 make it, decoding goes on in
    float32 for good.
    """

    def __init__(
        self, network: Network, vae: Any, config: DiffusersConfig, device: torch.device, dtype: torch.dtype
    ) -> None:
        super().__init__(network, config, device, dtype)
        self._vae = vae if vae.config.force_upcast and dtype == torch.float16 else vae.to(dtype)
        self._enlarged = 2 ** (len(vae.config.block_out_channels) - 1)

    @property
    def picture_shape(self) -> tuple[int, ...]:
        side = self.shape[1] * self._enlarged
        return self._vae.config.out_channels, side, side

    @torch.inference_mode()
    def pictures(self, x: Tensor) -> Tensor:
        decoded = self._decoded(x)
        if self._vae.dtype == torch.float16 and not bool(decoded.isfinite().all()):
            self._vae = self._vae.float()
            decoded = self._decoded(x)
        return decoded

    def _decoded(self, x: Tensor) -> Tensor:
        latents = x.to(self._vae.dtype) / self._vae.config.scaling_factor
        return torch.cat([self._vae.decode(some).sample for some in latents.split(DECODED)]).float()
