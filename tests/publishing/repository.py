"""A small model to publish, and the name of its repository."""

from cfg_core.checkpoints.format import CheckpointConfig
from cfg_core.diffusion.schedule import Schedule
from cfg_core.networks.unet import UNetConfig

NAME = "someone/something"

MODEL_CONFIG = CheckpointConfig(
    UNetConfig(1, 8, 2, (16, 32), (1, 1), (1, 1), embedding=32), Schedule(), "v", "v", ("zero", "one"), "fashion_mnist",
    "MIT", 0.1, 7, "",
)  # fmt: skip
