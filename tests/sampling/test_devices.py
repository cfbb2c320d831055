"""What runs on a device runs without float64 there, which Apple's do not have, and without waiting for it.

The device is torch's ``meta``, which computes shapes and types only, so that nothing can be read back from it.
"""

from types import SimpleNamespace

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from cfg_core.checkpoints.diffusers_denoisers import DiffusersConfig, DiffusersDenoiser
from cfg_core.checkpoints.diffusers_schedules import PREDICTIONS, complete_scheduler
from cfg_core.data.datasets import synthetic
from cfg_core.data.pixels import to_bytes
from cfg_core.diffusion.network_denoiser import NetworkDenoiser
from cfg_core.diffusion.noise import grid_noise
from cfg_core.diffusion.schedule import Schedule
from cfg_core.guidance.rules import RULES
from cfg_core.networks.classifier import ClassifierArchitecture, ClassifierNetwork
from cfg_core.networks.noise_aware_classifier import NoiseAwareClassifierNetwork
from cfg_core.networks.unet import UNetConfig
from cfg_core.sampling.langevin import corrected
from cfg_core.sampling.loop import advance_jobs, begin, sample, samplers_for
from cfg_core.training.classifiers import logits_at, noisy_logits
from cfg_core.training.options import Options
from cfg_core.training.trainer import Trainer
from tests.conftest import small_network

DEVICE = torch.device("meta")
W = torch.tensor([-1.0, -0.5, 0.0, 3.0], dtype=torch.float64)


class WithoutFloat64(TorchFunctionMode):
    """Refuses, as Apple's devices do, float64 there, and operands here and there unless those here are indices."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        if any(each.device == DEVICE and each.dtype == torch.float64 for each in tensors(made)):
            raise TypeError("a float64 tensor cannot be on a device that does not have float64")
        if function not in MAY_MIX and len({each.device for each in tensors((args, kwargs)) if each.ndim}) > 1:
            raise RuntimeError(f"the operands of {function.__name__} must be on one device")
        return made


MAY_MIX = (torch.Tensor.to, torch.Tensor.__getitem__, torch.Tensor.__setitem__)


def tensors(of):
    return [each for each in tree_leaves(of) if isinstance(each, torch.Tensor)]


@pytest.fixture
def denoiser():
    classifier = NoiseAwareClassifierNetwork(ClassifierArchitecture(4, 8, 10)).to(DEVICE)
    network = small_network(channels=4).to(DEVICE)
    weaker = NetworkDenoiser(small_network(1, channels=4).to(DEVICE), Schedule(), tuple("abcdefghij"))
    return NetworkDenoiser(network, Schedule(), tuple("abcdefghij"), classifier=classifier, weaker=weaker)


def job(denoiser, **options):
    noise = grid_noise(0, range(len(W)), denoiser.shape, denoiser.device)
    return begin(denoiser, noise, torch.arange(len(W)), W, steps=2, **options)


def test_the_stand_in_refuses_what_apples_devices_refuse():
    with WithoutFloat64(), pytest.raises(TypeError, match="does not have float64"):
        torch.zeros(2, dtype=torch.float64).to(DEVICE)
    with WithoutFloat64(), pytest.raises(TypeError, match="does not have float64"):
        torch.zeros(2, device=DEVICE).double()
    with WithoutFloat64(), pytest.raises(RuntimeError, match="the operands of embedding must be on one device"):
        torch.nn.functional.embedding(torch.tensor([0]), torch.zeros(2, 3, device=DEVICE))


@pytest.mark.parametrize(("rule", "sampler"), [(rule, name) for rule in RULES for name in samplers_for(rule)])
def test_every_sampler_and_rule_draws(denoiser, rule, sampler):
    with WithoutFloat64():
        drawn = to_bytes(denoiser.pictures(sample(denoiser, job(denoiser, sampler=sampler, rule=rule))))
    assert (drawn.device, drawn.shape) == (DEVICE, (4, 4, 8, 8))


def test_grids_of_all_rules_are_drawn_together_and_with_langevin_steps(denoiser):
    with WithoutFloat64():
        jobs = [job(denoiser, sampler="ddim", rule=rule) for rule in RULES]
        for each in jobs:
            each.sampler = corrected(each.sampler, 1)
        while not jobs[0].state.done:
            advance_jobs(denoiser, jobs)
    assert {each.state.z.device for each in jobs} == {DEVICE}


def test_v_and_score_are_had(denoiser):
    with WithoutFloat64():
        z, log_snr = torch.zeros(3, 4, 8, 8, device=DEVICE), torch.zeros(3, dtype=torch.float64)
        conditional, unconditional = denoiser.pair(z, log_snr, torch.arange(3))
        assert conditional.v.device == unconditional.score.device == DEVICE


@pytest.mark.parametrize("kind", PREDICTIONS)
def test_a_model_of_diffusers_draws(kind):
    def network(z, timesteps, class_labels):
        assert timesteps.device == class_labels.device == z.device
        return SimpleNamespace(sample=torch.cat([z, z], 1))

    scheduler = {"num_train_timesteps": 10, "beta_start": 0.01, "beta_end": 0.2, "beta_schedule": "linear"}
    said = complete_scheduler({**scheduler, "prediction_type": kind, "clip_sample": True})
    config = DiffusersConfig("a", "UNet2DModel", tuple("abcd"), {"in_channels": 3, "sample_size": 8}, said)
    denoiser = DiffusersDenoiser(network, config, DEVICE, torch.float32)
    with WithoutFloat64():
        assert sample(denoiser, job(denoiser)).device == DEVICE


def test_a_model_is_trained():
    options = Options("synthetic", UNetConfig(1, 16, 4, widths=(16,), encoder=(1,), decoder=(1,)), batch=16)
    accelerator = SimpleNamespace(device=DEVICE, process_index=0, num_processes=1, prepare=lambda n: n.to(DEVICE))
    run = Trainer(options, synthetic(), accelerator)
    with WithoutFloat64():
        loss = run.losses(*run.batch(0)).mean()
        loss.backward()
    assert run.network.out.weight.grad.device == loss.device == DEVICE


def test_classifiers_of_noisy_and_of_clean_pictures_look_at_pictures():
    x = torch.zeros(5, 1, 16, 16, device=DEVICE)
    guide = NoiseAwareClassifierNetwork(ClassifierArchitecture(1, 16, 4)).to(DEVICE)
    judge = ClassifierNetwork(ClassifierArchitecture(1, 16, 4)).to(DEVICE)
    with WithoutFloat64():
        assert noisy_logits(guide, Schedule(), torch.Generator())(x).device == DEVICE
        assert logits_at(guide, torch.zeros(5, dtype=torch.float64), x)(x).device == DEVICE
        assert judge(x).softmax(1).device == DEVICE
