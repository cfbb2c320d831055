"""The Inception network of the literature's FID, by torch-fidelity, for whoever has its weights.

    python -m cfg_core evaluate … --features inception [--inception-weights FILE.safetensors]

Nothing is downloaded. Without the option the weights are looked for where torch keeps what was downloaded before, under
the library's name for them. That file is a pickle, which is read only where its hash is the one in its name.
"""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from cfg_core.data.pixels import to_bytes

NEEDS = "torch-fidelity>=0.4"
"""The library that has the network, as requirements-inception.txt asks for it."""


FEATURES = 2048


BLOCK = 50
"""Images that are classified together, at 299×299 pixels."""


PUBLISHED = "weights-inception-2015-12-05-6726825d.pth"
"""The library's name for its file, which ends with the first digits of the file's SHA-256."""


@dataclass(frozen=True)
class Inception:
    """network: (N, 3, S, S) uint8 to features (N, 2048) and logits. hash: the first 12 hex digits of the SHA-256 of its
    weights' values."""

    network: Any
    hash: str

    @torch.inference_mode()
    def features(self, images: Tensor) -> Tensor:
        """Images (N, 1 or 3, S, S) in [−1, 1] to features (N, 2048), on the CPU, at bounded memory."""
        device = self.network.fc.weight.device
        found = [self.network(to_bytes(block.expand(-1, 3, -1, -1)).to(device))[0] for block in images.split(BLOCK)]
        return torch.cat([block.cpu() for block in found])

    @torch.inference_mode()
    def probabilities_of(self, features: Tensor) -> Tensor:
        """Features (N, 2048) to p(y|x) (N, 1008), of logits without bias, as the Inception Score has them."""
        weight = self.network.fc.weight
        return (features.to(weight.device) @ weight.T).softmax(1).cpu()


def load_inception(where: Path | None, device: torch.device) -> Inception:
    """The network with the weights of a file of safetensors, or with those that torch has in its cache.

    Raises ValueError, in one sentence, where the library or the weights are not there or do not fit.
    """
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3, FeatureExtractorInceptionV3
    except (ImportError, RuntimeError) as error:  # the latter where its torchvision does not fit torch
        raise ValueError(
            f'features must be classifier without torch-fidelity; pip install "{NEEDS}" ({error})'
        ) from error
    weights = _safe(where) if where else _published(Path(torch.hub.get_dir()) / "checkpoints", URL_INCEPTION_V3)
    copy = io.BytesIO()  # the library unpickles whatever it is given, so it is given what was just read
    torch.save(weights, copy)
    copy.seek(0)
    try:
        network = FeatureExtractorInceptionV3("inception", [str(FEATURES), "logits_unbiased"], copy)
    except RuntimeError as error:
        problem = str(error).splitlines()[1].strip()
        raise ValueError(f"inception-weights must be those of torch-fidelity's Inception: {problem}") from error
    digest = hashlib.sha256()
    for _, tensor in sorted(weights.items()):
        digest.update(tensor.contiguous().numpy().tobytes())
    return Inception(network.to(device), digest.hexdigest()[:12])


def _safe(path: Path) -> dict[str, Tensor]:
    try:
        return load(path.read_bytes())
    except (OSError, SafetensorError) as error:
        raise ValueError(f"inception-weights must be a file of safetensors, got {path} ({error})") from error


def _published(folder: Path, address: str) -> dict[str, Tensor]:
    path = folder / PUBLISHED
    if not path.is_file():
        raise ValueError(f"inception-weights must be given, because {path} is not there; {address} has them")
    content = path.read_bytes()
    if not hashlib.sha256(content).hexdigest().startswith(PUBLISHED.rpartition("-")[2].removesuffix(".pth")):
        raise ValueError(f"inception-weights: {path} is cut off or another file, its SHA-256 is not that in its name")
    weights: dict[str, Tensor] = torch.load(io.BytesIO(content), weights_only=True)
    return weights
