"""The options of a run: everything that determines its final weights."""

from dataclasses import dataclass, field

from cfg_core.checks import choice, number
from cfg_core.diffusion.schedule import Schedule
from cfg_core.networks.unet import UNetConfig
from cfg_core.training.learning_rate import DECAYS
from cfg_core.training.loss import LOSS_WEIGHTS
from cfg_core.training.optimizers import OPTIMIZERS

PRECISIONS = {"float32": "no", "bfloat16": "bf16"}
"""dtype of convolutions → Accelerate's name for it. bfloat16 suits GPUs, and CPUs with AVX512-BF16 or AMX."""


@dataclass(frozen=True)
class Options:
    """The identity of a run; a run folder is resumed only with the same options.

    data: the fingerprint of the data set. start: the hash of the initial weights, empty for random ones.
    seen: images that those were trained on. images: how many the run trains on. batch: images of a step, over all
    processes. learning_rate: the peak. precision: dtype of convolutions, a key of PRECISIONS; the weights are
    float32. ema: the relative widths of the EMAs that are kept. Raises ValueError for a field out of range.
    """

    data: str
    network: UNetConfig
    schedule: Schedule = field(default_factory=Schedule)
    p_uncond: float = 0.1
    loss_weight: str = "v"
    images: int = 1_200_000
    batch: int = 128
    learning_rate: float = 2e-3
    decay: str = "cosine"
    optimizer: str = "adamw"
    ema: tuple[float, ...] = (0.1,)
    seed: int = 0
    start: str = ""
    seen: int = 0
    precision: str = "float32"

    def __post_init__(self) -> None:
        number("log_snr_min", self.schedule.log_snr_min, -100, 100)
        number("log_snr_max", self.schedule.log_snr_max, -100, 100)
        number("p_uncond", self.p_uncond, 0, 1)
        choice("loss_weight", self.loss_weight, LOSS_WEIGHTS)
        choice("precision", self.precision, PRECISIONS)
        number("images", self.images, 1, 1e12, whole=True)
        number("batch", self.batch, 1, 65536, whole=True)
        number("learning_rate", self.learning_rate, 1e-8, 1)
        choice("decay", self.decay, DECAYS)
        choice("optimizer", self.optimizer, OPTIMIZERS)
        number("number of EMAs", len(self.ema), 1, 16, whole=True)
        for width in self.ema:
            number("ema", width, 0.01, 0.28)
        number("seed", self.seed, 0, 2**32 - 1, whole=True)

    @property
    def steps(self) -> int:
        return -(-self.images // self.batch)
