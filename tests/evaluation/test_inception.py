"""Figures over Inception features: a network of the real shape with random weights, and what is refused before it."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from cfg_core.commands import evaluate
from cfg_core.evaluation import extractor
from cfg_core.evaluation.curve_file import parse_curve
from cfg_core.evaluation.curves import basis
from cfg_core.evaluation.inception import BLOCK, NEEDS, PUBLISHED, Inception, load_inception
from tests.evaluation.small_sweeps import command

ROOT = Path(__file__).parents[2]


def has_library() -> bool:
    try:
        import torch_fidelity  # noqa: F401
    except (ImportError, RuntimeError):
        return False
    return True


LIBRARY = pytest.mark.skipif(not has_library(), reason=f'the network needs pip install "{NEEDS}"')


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of the real shape, of a size that keeps activations within bounds."""
    from torch_fidelity import feature_extractor_inceptionv3 as library

    class Random(library.FeatureExtractorInceptionV3):
        def load_state_dict(self, *_: object, **__: object) -> None:  # type: ignore[override]
            pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "load_state_dict_from_url", lambda *_, **__: None)
        torch.manual_seed(0)
        network = Random("inception", ["2048"])
    path = tmp_path_factory.mktemp("inception") / "random.safetensors"
    save_file({name: t.contiguous() for name, t in network.state_dict().items()}, path)
    return path


@LIBRARY
def test_features_and_probabilities_are_those_of_the_library(weights: Path) -> None:
    found = load_inception(weights, torch.device("cpu"))
    grey = torch.rand(BLOCK + 2, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    features = found.features(grey)
    assert features.shape == (BLOCK + 2, 2048)
    bytes_ = ((grey[-2:] + 1) * 127.5).round().to(torch.uint8).repeat(1, 3, 1, 1)
    expected, logits = found.network(bytes_)
    torch.testing.assert_close(features[-2:], expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.probabilities_of(features[-2:]), logits.softmax(1), rtol=1e-4, atol=1e-6)


@LIBRARY
def test_weights_that_do_not_fit_are_refused_in_one_sentence(weights: Path, tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="inception-weights must be those of torch-fidelity's Inception: "):
        load_inception(tmp_path / "other.safetensors", torch.device("cpu"))
    (tmp_path / "broken").write_bytes(b"no tensors")
    with pytest.raises(ValueError, match="inception-weights must be a file of safetensors, got "):
        load_inception(tmp_path / "broken", torch.device("cpu"))


@LIBRARY
def test_weights_that_are_not_there_are_named_before_anything_is_drawn(
    model: Path, classifier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "cache"))
    asked = [*command(model, classifier, tmp_path / "a.json"), "--features", "inception"]
    with pytest.raises(SystemExit) as ended:
        evaluate.main(asked)
    assert ended.value.code == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"inception-weights must be given, because {tmp_path}/cache/checkpoints/{PUBLISHED} is not there" in said
    (tmp_path / "cache" / "checkpoints").mkdir(parents=True)
    (tmp_path / "cache" / "checkpoints" / PUBLISHED).write_bytes(b"another file")
    with pytest.raises(SystemExit):
        evaluate.main(asked)
    assert "is cut off or another file, its SHA-256 is not that in its name" in capsys.readouterr().err


class Small(torch.nn.Module):
    """As the library's network, with eight features and five classes."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = torch.nn.Linear(8, 5)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor]:
        assert images.dtype == torch.uint8
        return (images.float().flatten(2).mean(1)[:, 100:108] + 1,)


def test_a_sweep_over_inception_features_says_so(
    model: Path, classifier: Path, swept: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    small = Inception(Small(), "0123456789ab")
    monkeypatch.setattr(evaluate, "load_inception", lambda *_: small)
    monkeypatch.setattr(extractor, "FEATURES", 8)
    out = tmp_path / "a.json"
    evaluate.main([*command(model, classifier, out), "--features", "inception"])
    curve, ours = parse_curve(out.name, out.read_text(encoding="utf-8")), parse_curve("b.json", json.dumps(swept))
    assert (curve.kind, ours.kind) == ("inception", "classifier")
    assert curve.features == "8 pooled features of Inception v3 (0123456789ab)"
    assert basis(curve) == f"FID over {curve.features}, as in the literature."
    assert curve.extractor != ours.extractor
    for one, other in zip(curve.points, ours.points, strict=True):
        assert one.figures["p_correct"] == other.figures["p_correct"], "the classifier's in either case"
        assert one.figures["fid"] != other.figures["fid"]
        assert one.figures["inception"].value < 5


@pytest.mark.skipif(has_library(), reason="torch-fidelity is installed")
def test_without_the_library_one_sentence_says_how_to_get_it() -> None:
    with pytest.raises(ValueError, match=r'features must be classifier without torch-fidelity; pip install "torch-f'):
        load_inception(None, torch.device("cpu"))


def test_the_extra_is_what_the_code_asks_for() -> None:
    assert NEEDS in (ROOT / "requirements-inception.txt").read_text(encoding="utf-8").splitlines()


def test_weights_are_refused_where_no_inception_features_are_asked_for(
    model: Path, classifier: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for options, message in (
        (["--inception-weights", "a"], "inception-weights must be given with --features inception only, got a"),
        (["--features", "clip"], "features must be one of classifier, inception, got 'clip'"),
    ):
        with pytest.raises(SystemExit):
            evaluate.main([*command(model, classifier, tmp_path / "a.json"), *options])
        assert message in capsys.readouterr().err.splitlines()[-1]
