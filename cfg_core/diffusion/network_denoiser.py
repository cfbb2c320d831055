"""A network that predicts v, as a denoiser."""

from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cfg_core.diffusion.denoiser import CLASSIFIER, MODEL, WEAKER, Denoiser
from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.schedule import NoiseSchedule
from cfg_core.networks.unet import UNet
from cfg_core.threads import one_core_each

MIN_ROWS = 16
"""Every network call has at least this many rows, for with less than about 12 some CPU kernels round differently."""


ROWS_UNIT = 4
"""The number of rows is a multiple of this, so that 2 to 4 threads split activations at whole SIMD vectors, whose tails
round differently."""


class NetworkDenoiser(Denoiser):
    """A network that predicts v, with the schedule it was trained on and the names of its classes.

    precision: dtype of its convolutions, float32 where none is given. classifier: a noise-aware one,
    (z (B, …), log_snr (B,)) → logits (B, C), which the rules of classifier guidance use (cfg_core.checkpoints.guides).
    weaker: its weaker sibling, which autoguidance uses (cfg_core.checkpoints.weaker_siblings).
    """

    def __init__(
        self,
        network: UNet,
        schedule: NoiseSchedule,
        classes: tuple[str, ...],
        precision: torch.dtype | None = None,
        classifier: nn.Module | None = None,
        weaker: Denoiser | None = None,
    ) -> None:
        config = network.config
        if len(classes) != config.num_classes:
            raise ValueError(f"classes must name {config.num_classes} classes, got {len(classes)} names")
        self.network = network.eval()
        self.schedule = schedule
        self.classes = classes
        self.shape = (config.channels, config.size, config.size)
        self.device = next(network.parameters()).device
        self.precision = precision
        self.classifier = classifier
        self.weaker = weaker
        beside = {CLASSIFIER: classifier, WEAKER: weaker}
        self.sources = frozenset({MODEL, *(source for source, network in beside.items() if network is not None)})

    def predict(self, z: Tensor, log_snr: Tensor, labels: Tensor, rows: Tensor, w: Tensor | None = None) -> Prediction:
        self.check_labels(labels)
        cores = torch.get_num_threads()
        with torch.autocast(self.device.type, self.precision) if self.precision else nullcontext():
            plain = self.device.type == "cpu" and self.precision is None and torch.is_inference_mode_enabled()
            divided = plain and cores > 1 and len(z) >= cores * MIN_ROWS
            evaluate = self._side_by_side if divided else self._evaluate
            v = evaluate(z.float(), log_snr.float(), labels, rows)
        return Prediction.from_v(z[rows], log_snr[rows], v.to(z.dtype))

    def log_class_posterior(self, z: Tensor, log_snr: Tensor) -> Tensor:
        if self.classifier is None:
            return super().log_class_posterior(z, log_snr)
        return self.classifier(_padded(z.float()), _padded(log_snr.float()).to(z.device))[: len(z)].log_softmax(1)

    def _evaluate(self, *inputs: Tensor) -> Tensor:
        return self.network(*(_padded(t).to(self.device) for t in inputs))[: len(inputs[-1])]

    def _side_by_side(self, z: Tensor, log_snr: Tensor, labels: Tensor, rows: Tensor) -> Tensor:
        """The same result; sample n is computed on core n mod cores, which spreads guided and unguided ones evenly.

        Faster than to compute each layer on all cores, which waits for the slowest core at every layer; that costs much
        when other programs run.
        """
        cores = torch.get_num_threads()

        def run(core: int) -> tuple[Tensor, Tensor]:
            mine = (rows % cores == core).nonzero().squeeze(1)
            with torch.inference_mode():
                return mine, self._evaluate(z[core::cores], log_snr[core::cores], labels[mine], rows[mine] // cores)

        v = torch.empty(len(rows), *self.shape)
        for mine, evaluated in one_core_each(cores, "core").map(run, range(cores)):
            v[mine] = evaluated
        return v


def _padded(t: Tensor) -> Tensor:
    missing = max(MIN_ROWS - len(t), -len(t) % ROWS_UNIT)
    return F.pad(t, (0, 0) * (t.ndim - 1) + (0, missing)) if missing > 0 else t
