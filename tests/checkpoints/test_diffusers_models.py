"""Models of diffusers' through our rules and samplers, against diffusers: same latents, same scale, same picture."""

import builtins
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from cfg_core.checkpoints import diffusers_denoisers
from cfg_core.checkpoints.catalog import describe_model
from cfg_core.checkpoints.diffusers_schedules import BETAS, PREDICTIONS
from cfg_core.checkpoints.format import CheckpointError, LoadedModel
from cfg_core.devices import DEVICE_PRECISION
from cfg_core.diffusion.schedule import DiscreteSchedule
from cfg_core.diffusion.spacings import SPACINGS
from cfg_core.grids.request import GridRequest
from cfg_core.guidance.rules import rules
from cfg_core.sampling.loop import begin, sample
from cfg_core.serving.engine import Engine
from cfg_core.serving.model import Model
from cfg_core.serving.registry import ModelRegistry, load_model
from tests.fake_hub import serving, switch_off

diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed")

SPACES = Path(__file__).parents[2] / "docs" / "spaces.md"
STEPS = 10
LABELS = [3, 999, 0, 207]


def shaken(network: Any, seed: int) -> Any:
    """No weight is 0, as some are before training."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    return network


@pytest.fixture(scope="module")
def dit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny DiT with its autoencoder, saved as its authors' is."""
    torch.manual_seed(0)  # diffusers begins with torch's own random numbers, which depend on the tests before
    transformer = diffusers.DiTTransformer2DModel(
        num_attention_heads=2, attention_head_dim=8, in_channels=4, out_channels=8, num_layers=2, sample_size=8
    )
    vae = diffusers.AutoencoderKL(
        block_out_channels=(8, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=8,
        sample_size=16,
    )
    scheduler = diffusers.DDIMScheduler(clip_sample=False)
    names = {label: f"thing {label}, another word for it" for label in range(1000)}
    pipeline = diffusers.DiTPipeline(shaken(transformer, 0), shaken(vae, 1), scheduler, id2label=names)
    folder = tmp_path_factory.mktemp("dit")
    pipeline.save_pretrained(folder)
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps({**index, "id2label": names}))
    return folder


@pytest.fixture(scope="module")
def unet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny class-conditional UNet2D of three classes and ∅."""
    torch.manual_seed(0)
    network = diffusers.UNet2DModel(
        sample_size=8,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D",) * 2,
        up_block_types=("UpBlock2D",) * 2,
        norm_num_groups=8,
        layers_per_block=1,
        num_class_embeds=4,
    )
    scheduler = diffusers.DDPMScheduler(num_train_timesteps=200, clip_sample=False)
    folder = tmp_path_factory.mktemp("unet")
    diffusers.DDPMPipeline(shaken(network, 2), scheduler).save_pretrained(folder)
    return folder


def loaded(folder: Path) -> LoadedModel:
    return load_model(describe_model(folder), torch.device("cpu")).checkpoint


def drawn(checkpoint: LoadedModel, z: Tensor, labels: list[int], w: float, **options: Any) -> Tensor:
    job = begin(checkpoint.denoiser, lambda step: z, torch.tensor(labels), torch.full((len(z),), w), **options)
    return sample(checkpoint.denoiser, job)


def with_scheduler(folder: Path, tmp_path: Path, **settings: Any) -> Path:
    """A copy of a pipeline, with these settings in its scheduler's config."""
    copy = shutil.copytree(folder, tmp_path / "other")
    said = copy / "scheduler" / "scheduler_config.json"
    said.write_text(json.dumps({**json.loads(said.read_text()), **settings}))
    return copy


@pytest.mark.parametrize(("scale", "clipped"), [(1.5, False), (4.0, False), (4.0, True)])
def test_a_dit_draws_what_its_own_pipeline_draws(dit: Path, tmp_path: Path, scale: float, clipped: bool) -> None:
    dit = with_scheduler(dit, tmp_path, clip_sample=clipped)
    pipeline = diffusers.DiTPipeline.from_pretrained(dit, use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(0)
    theirs = pipeline(LABELS, guidance_scale=scale, generator=generator, num_inference_steps=STEPS, output_type="pt")
    z = torch.randn(4, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    checkpoint = loaded(dit)
    latents = drawn(checkpoint, z, LABELS, scale - 1, sampler="ddim", steps=STEPS)
    ours = (checkpoint.denoiser.pictures(latents) / 2 + 0.5).clamp(0, 1)
    assert ours.shape == (4, 3, 16, 16) == (4, *checkpoint.denoiser.picture_shape)
    assert torch.allclose(ours, theirs.images, atol=1e-4)


def test_latents_are_decoded_a_few_at_a_time_and_come_out_as_all_at_once(
    dit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    denoiser, counts = loaded(dit).denoiser, []
    latents = torch.randn(10, 4, 8, 8, generator=torch.Generator().manual_seed(5))
    decoder = denoiser._vae.decoder.forward
    monkeypatch.setattr(denoiser._vae.decoder, "forward", lambda z, *rest: counts.append(len(z)) or decoder(z, *rest))
    few = denoiser.pictures(latents)
    assert counts == [4, 4, 2]
    monkeypatch.setattr(diffusers_denoisers, "DECODED", 10)
    assert torch.allclose(few, denoiser.pictures(latents), atol=1e-5)
    assert counts[3:] == [10]


def by_hand(folder: Path, z: Tensor, labels: list[int], scale: float, channels: int | None) -> Tensor:
    """Its authors' loop (forward_with_cfg of their code): guidance on some channels, the rest conditional."""
    network = diffusers.DiTTransformer2DModel.from_pretrained(folder, subfolder="transformer")
    scheduler = diffusers.DDIMScheduler.from_pretrained(folder, subfolder="scheduler")
    scheduler.set_timesteps(STEPS)
    c, null = torch.tensor(labels), torch.full((len(labels),), 1000)
    with torch.inference_mode():
        for t in scheduler.timesteps:
            at = t.expand(2 * len(z))
            told = network(torch.cat([z, z]), timestep=at, class_labels=torch.cat([c, null])).sample[:, :4]
            conditional, unconditional = told.chunk(2)
            eps = conditional.clone()
            guided = unconditional + scale * (conditional - unconditional)
            eps[:, :channels] = guided[:, :channels]
            z = scheduler.step(eps, t, z).prev_sample
    return z


@pytest.mark.parametrize(("rule", "channels"), [("cfg", None), ("three_channels", 3)])
def test_guidance_is_on_all_latent_channels_or_on_three(dit: Path, rule: str, channels: int | None) -> None:
    z = torch.randn(4, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    ours = drawn(loaded(dit), z, LABELS, 2.0, sampler="ddim", steps=STEPS, rule=rule)
    assert torch.allclose(ours, by_hand(dit, z, LABELS, 3.0, channels), atol=1e-4)


def test_the_two_differ_and_only_a_latent_has_both(dit: Path, unet: Path) -> None:
    z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    one, other = (
        drawn(loaded(dit), z, [5], 3.0, sampler="ddim", steps=STEPS, rule=r) for r in ("cfg", "three_channels")
    )
    assert float((one - other).abs().max()) > 1e-2
    assert "three_channels" in rules(loaded(dit).denoiser)
    assert "three_channels" not in rules(loaded(unet).denoiser)


def test_the_null_class_is_the_last_embedding(dit: Path, unet: Path) -> None:
    assert loaded(dit).denoiser.null_label == 1000
    assert loaded(unet).denoiser.null_label == 3
    z = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    unconditional = [drawn(loaded(dit), z, labels, -1.0, sampler="ddim", steps=4) for labels in ([1, 2], [3, 4])]
    assert torch.equal(*unconditional), "at w = −1 the class has no say"


def as_usual(folder: Path) -> None:
    """Leave of a scheduler's config what has no default value."""
    path = folder / "scheduler" / "scheduler_config.json"
    said = json.loads(path.read_text())
    needed = ("_class_name", "num_train_timesteps", "beta_start", "beta_end", "beta_schedule")
    path.write_text(json.dumps({name: said[name] for name in needed}))


def both(unet: Path, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """What we draw with a UNet2D, and what the loop of diffusers' DDIM does, its table in that precision too."""
    network = diffusers.UNet2DModel.from_pretrained(unet, subfolder="unet", torch_dtype=dtype)
    scheduler = diffusers.DDIMScheduler.from_pretrained(unet, subfolder="scheduler")
    scheduler.alphas_cumprod = (1 - scheduler.betas.to(dtype)).cumprod(0)
    scheduler.set_timesteps(STEPS)
    start = torch.randn(3, 3, 8, 8, generator=torch.Generator().manual_seed(3)).to(dtype)
    z, labels = start, torch.tensor([0, 1, 2])
    with torch.inference_mode():
        for t in scheduler.timesteps:
            conditional, unconditional = (network(z, t, class_labels=c).sample for c in (labels, torch.full((3,), 3)))
            z = scheduler.step(unconditional + 2.5 * (conditional - unconditional), t, z).prev_sample
    return drawn(loaded(unet), start, [0, 1, 2], 1.5, sampler="ddim", steps=STEPS), z


def test_a_unet_draws_what_diffusers_scheduler_draws_with_it(unet: Path) -> None:
    assert torch.allclose(*both(unet, torch.float32), atol=1e-4)


@pytest.mark.parametrize(
    "settings",
    [
        *({"prediction_type": kind, "clip_sample": clip} for kind in PREDICTIONS for clip in (False, True)),
        *({"beta_schedule": table, "clip_sample": True} for table in BETAS),
        {"beta_schedule": "squaredcos_cap_v2", "clip_sample": False},
        {"clip_sample": True, "clip_sample_range": 2.5},
    ],
    ids=lambda settings: " ".join(map(str, settings.values())),
)
def test_it_draws_the_same_whatever_its_scheduler_says(
    unet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    """In float64: clipped and untrained, a network makes 1e-4 of float32's rounding, in diffusers' loop as in ours."""
    monkeypatch.setitem(DEVICE_PRECISION, "cpu", torch.float64)
    assert torch.allclose(*both(with_scheduler(unet, tmp_path, **settings), torch.float64), atol=1e-5)


@pytest.mark.parametrize(
    "settings", [{"steps_offset": 1}, {"trained_betas": [0.0005 * n for n in range(1, 201)]}], ids=["offset", "betas"]
)
def test_an_offset_and_betas_of_its_own_are_its_schedulers(
    unet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    monkeypatch.setitem(DEVICE_PRECISION, "cpu", torch.float64)
    assert torch.allclose(*both(with_scheduler(unet, tmp_path, **settings), torch.float64), atol=1e-5)


def test_a_config_that_says_little_means_diffusers_own_values(
    unet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DEVICE_PRECISION, "cpu", torch.float64)
    folder = with_scheduler(unet, tmp_path, _class_name="DDIMScheduler")
    as_usual(folder)
    assert torch.allclose(*both(folder, torch.float64), atol=1e-5)
    assert loaded(folder).denoiser.clip == 1.0


def test_a_scheduler_that_knows_of_no_clipping_does_not_clip(unet: Path, tmp_path: Path) -> None:
    folder = with_scheduler(unet, tmp_path, _class_name="DPMSolverMultistepScheduler")
    as_usual(folder)
    assert loaded(folder).denoiser.clip is None


@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
def test_the_timesteps_are_those_of_its_scheduler(unet: Path, tmp_path: Path, spacing: str) -> None:
    folder = with_scheduler(unet, tmp_path, timestep_spacing=spacing)
    scheduler = diffusers.DDIMScheduler.from_pretrained(folder, subfolder="scheduler")
    scheduler.set_timesteps(STEPS)
    denoiser = loaded(folder).denoiser
    job = begin(denoiser, lambda step: torch.zeros(1, 3, 8, 8), torch.tensor([0]), torch.ones(1), steps=STEPS)
    assert denoiser.schedule.timestep(job.state.log_snrs).tolist() == scheduler.timesteps.tolist()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"thresholding": True}, "thresholding must be False, since no rule here rescales x .*, got True"),
        ({"rescale_betas_zero_snr": True}, "rescale_betas_zero_snr must be False, since λ must be finite .*, got True"),
        ({"set_alpha_to_one": False}, "set_alpha_to_one must be True, since every sampler here ends .*, got False"),
        ({"beta_schedule": "sigmoid"}, "beta_schedule must be one of linear, .*, squaredcos_cap_v2, got 'sigmoid'"),
        ({"prediction_type": "flow"}, "prediction_type must be one of epsilon, v_prediction, sample, got 'flow'"),
        ({"timestep_spacing": "other"}, "timestep_spacing must be one of leading, trailing, linspace, got 'other'"),
        ({"clip_sample_range": None}, "clip_sample_range must be a number from 0 to 1000000, got None"),
        ({"beta_end": "high"}, "beta_end must be a number from 0 to 1, got 'high'"),
        ({"trained_betas": [0.5, 1.0]}, "betas must lie between 0 and 1, got 0.5 to 1"),
    ],
    ids=str,
)
def test_a_scheduler_that_would_be_drawn_otherwise_is_refused_by_the_name_of_its_setting(
    unet: Path, tmp_path: Path, settings: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(CheckpointError, match=f"its scheduler's {sentence}$") as refused:
        describe_model(with_scheduler(unet, tmp_path, **settings))
    assert "\n" not in str(refused.value)


def test_more_steps_than_timesteps_are_refused() -> None:
    with pytest.raises(ValueError, match="steps must be at most the model's 5 timesteps, got 6"):
        SPACINGS["leading"](DiscreteSchedule([0.1] * 5), 6)


def test_what_it_is_can_be_told_without_diffusers(dit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__
    monkeypatch.setattr(
        builtins, "__import__", lambda name, *rest: _missing() if name == "diffusers" else real(name, *rest)
    )
    offered = describe_model(dit)
    assert offered.config.classes[207] == "thing 207"
    assert offered.config.about == "DiTTransformer2DModel · 1,000 classes"
    with pytest.raises(CheckpointError, match="is a model of diffusers, which is not installed: python"):
        load_model(offered, torch.device("cpu"))


def _missing() -> None:
    raise ImportError("no module named diffusers")


def without(folder: Path, *parts: str) -> None:
    folder.joinpath(*parts).unlink()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda f: without(f, "transformer", "config.json"), "is not a whole pipeline of diffusers"),
        (lambda f: (f / "model_index.json").write_text("{"), "is not a whole pipeline of diffusers"),
        (
            lambda f: (f / "model_index.json").write_text("[]"),
            r"is not a whole pipeline of diffusers: model_index\.json must hold an object, got \[\]$",
        ),
        (lambda f: (f / "model_index.json").write_text('{"unet": {}}'), "must be a pipeline of DiT.*, got None$"),
        (
            lambda f: (f / "transformer" / "config.json").write_text("7"),
            r"is not a whole pipeline of diffusers: config\.json must hold an object, got 7$",
        ),
        (
            lambda f: (f / "model_index.json").write_text(
                '{"transformer": ["diffusers", "DiTTransformer2DModel"], "id2label": ["tench"]}'
            ),
            r"id2label must be an object, got \['tench'\]$",
        ),
        (
            lambda f: (f / "model_index.json").write_text('{"_class_name": "OtherPipeline"}'),
            "must be a pipeline of DiTTransformer2DModel or UNet2DModel, got 'OtherPipeline'",
        ),
        (
            lambda f: (f / "vae" / "diffusion_pytorch_model.safetensors").rename(f / "vae" / "weights.bin"),
            "must have vae/.*safetensors; pickled weights are never read",
        ),
    ],
)
def test_a_spoilt_folder_is_one_sentence(dit: Path, tmp_path: Path, spoil: Any, sentence: str) -> None:
    folder = shutil.copytree(dit, tmp_path / "dit")
    spoil(folder)
    with pytest.raises(CheckpointError, match=sentence) as refused:
        describe_model(folder)
    assert "\n" not in str(refused.value)


def test_pickled_weights_are_drawn_once_they_are_converted_as_the_documents_say(
    dit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = re.search(r"^python -c '(from diffusers.+)'\ncp (\S+) (\S+)$", SPACES.read_text(), re.MULTILINE)
    assert recipe is not None
    monkeypatch.chdir(tmp_path)
    diffusers.DiTPipeline.from_pretrained(dit).save_pretrained("dit-pickled", safe_serialization=False)
    shutil.copy(dit / "model_index.json", "dit-pickled")
    with pytest.raises(CheckpointError, match=r"safetensors; pickled weights are never read, docs/spaces\.md"):
        describe_model("dit-pickled")
    exec(recipe[1])
    shutil.copy(recipe[2], recipe[3])
    converted = describe_model(recipe[3])
    assert converted.config.classes[207] == "thing 207"
    z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(4))
    ours, theirs = (drawn(loaded(f), z, [207], 1.0, sampler="ddim", steps=3) for f in (Path(recipe[3]), dit))
    assert torch.equal(ours, theirs)


def test_weights_that_do_not_fit_are_one_sentence(dit: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(dit, tmp_path / "dit")
    (folder / "transformer" / "diffusion_pytorch_model.safetensors").write_bytes(b"\0" * 100)
    with pytest.raises(CheckpointError, match="cannot be loaded") as refused:
        loaded(folder)
    assert "\n" not in str(refused.value)


@pytest.fixture
def engine(dit: Path) -> Iterator[Engine]:
    engine = Engine(Model(loaded(dit)))
    yield engine
    engine.close()


def test_the_engine_draws_it_as_pictures(engine: Engine, dit: Path) -> None:
    request = GridRequest(engine.checkpoint.hash, (7, 8), w=(0.0, 3.0), samples=2, steps=3, rule="three_channels")
    assert engine.draw(engine.check(request)).shape == (2, 2, 2, 16, 16, 3)
    assert ModelRegistry(engine).open(engine.checkpoint.hash) is engine.checkpoint


@pytest.mark.parametrize("remote", [True, False])
def test_it_is_drawn_on_a_gpu_where_there_is_a_remote_one(unet: Path, remote: bool) -> None:
    assert load_model(describe_model(unet), torch.device("cpu"), remote=remote).remote is remote


def test_it_is_had_from_the_hub_by_its_name(dit: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with serving(monkeypatch, tmp_path / "cache") as there:
        files = {str(path.relative_to(dit)): path.read_bytes() for path in dit.rglob("*") if path.is_file()}
        there.files["models/someone/dit"] = {**files, "transformer/pickle.bin": b"\x80"}
        offered = describe_model("someone/dit")
        assert offered.hash == describe_model(dit).hash
        assert not any(path.endswith("pickle.bin") for _, path in there.calls)
        switch_off(monkeypatch)
        assert describe_model("someone/dit") == offered, "without a network it is had from the cache"
        with pytest.raises(CheckpointError, match=r"'someone/other' is .*: the Hub cannot be reached from"):
            describe_model("someone/other")


def test_a_revision_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with serving(monkeypatch, tmp_path / "cache") as there:
        there.fault["/revision/"] = "RevisionNotFound"
        with pytest.raises(CheckpointError) as refused:
            describe_model("someone/dit@refs/pr/9")
    what = "checkpoint 'someone/dit@refs/pr/9' is no folder here and could not be had from the Hub"
    assert str(refused.value) == f"{what}: it has no revision refs/pr/9"
