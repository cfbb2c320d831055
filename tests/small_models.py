"""An untrained model of the synthetic pictures and a classifier of them, saved as folders."""

from pathlib import Path

import torch

from cfg_core.checkpoints.format import CheckpointConfig, save_checkpoint
from cfg_core.checkpoints.model_card import model_card
from cfg_core.commands import classifier as train_classifier
from cfg_core.data.datasets import load_dataset
from cfg_core.diffusion.schedule import Schedule
from cfg_core.networks.unet import UNet, UNetConfig


def save_model(folder: Path, seed: int = 0) -> Path:
    """A network whose output layer is random too, so that labels and w matter."""
    config = UNetConfig(1, 16, 4, widths=(16, 16), encoder=(0, 1), decoder=(0, 1))
    torch.manual_seed(seed)
    weights = {name: t if t.any() else 0.1 * torch.randn_like(t) for name, t in UNet(config).state_dict().items()}
    data = load_dataset("synthetic")
    about = CheckpointConfig(config, Schedule(), "v", "v", data.classes, "synthetic", data.licence, 0.1, 0, "none")
    save_checkpoint(folder, about, weights, model_card(about))
    return folder


def save_classifier(folder: Path) -> Path:
    train_classifier.main(["--data", "synthetic", "--out", str(folder), "--epochs", "1", "--widths", "16,32,64"])
    return folder
