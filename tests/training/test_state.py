"""A run is resumed exactly, from states of every version, and not from one that cannot be used."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from cfg_core.data.datasets import synthetic
from cfg_core.networks.unet import UNetConfig
from cfg_core.training.finite import NotFiniteError
from cfg_core.training.options import Options
from cfg_core.training.state import STATE
from cfg_core.training.trainer import Trainer
from tests.training.small_runs import advance, options, trainer


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_resumed_run_ends_exactly_as_an_unbroken_one(tmp_path, optimizer):
    options = {"optimizer": optimizer, "ema": (0.1, 0.05)}
    whole = advance(trainer(**options), 6)
    first = advance(trainer(**options), 3)
    first.save(tmp_path, "")
    second = trainer(**options)
    assert second.resume(tmp_path)
    advance(second, 3)
    for name, tensor in whole.tensors().items():
        assert torch.equal(tensor, second.tensors()[name]), name


def test_the_state_alone_goes_on_elsewhere(tmp_path):
    whole = advance(trainer(), 4)
    advance(trainer(), 2).save(tmp_path / "here", "")
    (tmp_path / "there").mkdir()
    (tmp_path / "here" / "state.safetensors").rename(tmp_path / "there" / "state.safetensors")
    second = trainer()
    assert second.resume(tmp_path / "there")
    advance(second, 2)
    for name, tensor in whole.tensors().items():
        assert torch.equal(tensor, second.tensors()[name]), name


def test_a_run_refuses_other_options(tmp_path):
    advance(trainer(), 1).save(tmp_path, "")
    with pytest.raises(ValueError, match=r"p_uncond must be 0\.1 as in the run of .*, got 0\.2"):
        trainer(p_uncond=0.2).resume(tmp_path)
    with pytest.raises(ValueError, match=r"decay must be cosine as in the run of .*, got linear"):
        trainer(decay="linear").resume(tmp_path)


def with_metadata(folder, **changes):
    """Other metadata in the folder's state; None leaves a field out."""
    path = folder / STATE
    with safe_open(path, "pt") as file:
        metadata = file.metadata() | changes
    save_file(load_file(path), path, {name: text for name, text in metadata.items() if text is not None})
    return metadata


@pytest.fixture
def old_state(tmp_path):
    """A run saved before its data had a fingerprint, and before a decay could be chosen."""
    advance(trainer(data="synthetic"), 1).save(tmp_path, "")
    options = json.loads(with_metadata(tmp_path)["options"])
    del options["decay"]
    with_metadata(tmp_path, version=None, options=json.dumps(options))
    return tmp_path


def test_an_old_state_goes_on_with_the_data_of_its_name_and_with_the_cosine(old_state):
    assert trainer().resume(old_state)
    with pytest.raises(ValueError, match=r"decay must be cosine as in the run of .*, got constant"):
        trainer(decay="constant").resume(old_state)
    other = Trainer(options(), replace(synthetic(), name="other"), Accelerator(cpu=True))
    with pytest.raises(
        ValueError, match=r"data must be synthetic as in the run of .*, got 2,048 pictures in 4 classes"
    ):
        other.resume(old_state)


def test_a_state_of_version_1_goes_on_as_it_did():
    """The state after 3 of 6 steps, and the weights after all, are those of the code before there were versions."""
    kept, data = Path(__file__).parent / "state_of_version_1", synthetic(size=8)
    network = UNetConfig(1, 8, 4, widths=(16,), encoder=(0,), decoder=(1,), embedding=16)
    chosen = Options(
        data.fingerprint, network, images=384, batch=64, learning_rate=0.05, optimizer="muon", ema=(0.1, 0.05)
    )
    run = Trainer(chosen, data, Accelerator(cpu=True))
    assert run.resume(kept)
    before, end = load_file(kept / STATE), load_file(kept / "end.safetensors")
    assert run.step == 3
    assert before.keys() == run.tensors().keys()
    for name, tensor in run.tensors().items():
        assert torch.equal(tensor, before[name]), name
    advance(run, 3)
    moved = sum((end[name] - before[f"network.{name}"]).square().sum() for name in end)
    apart = sum((end[name] - tensor).square().sum() for name, tensor in run.network.state_dict().items())
    assert apart < 0.05**2 * moved, "what CPUs round differently is far less than what the steps changed"


def test_a_state_of_a_version_to_come_or_with_unknown_options_is_refused(tmp_path):
    advance(trainer(), 1).save(tmp_path, "")
    raw = json.loads(with_metadata(tmp_path)["options"])
    with_metadata(tmp_path, options=json.dumps({**raw, "colour": "red"}))
    with pytest.raises(ValueError, match="has unknown options, got colour"):
        trainer().resume(tmp_path)
    with_metadata(tmp_path, version="3")
    with pytest.raises(ValueError, match="must be 1 or 2, got '3'"):
        trainer().resume(tmp_path)


def test_a_state_that_is_cut_off_or_none_is_refused(tmp_path):
    advance(trainer(), 1).save(tmp_path, "")
    with_metadata(tmp_path, step=None)
    with pytest.raises(ValueError, match="is not the state of a run, it lacks step"):
        trainer().resume(tmp_path)
    (tmp_path / STATE).write_bytes((tmp_path / STATE).read_bytes()[:-100])
    with pytest.raises(ValueError, match="is cut off or not a safetensors file"):
        trainer().resume(tmp_path)


def with_tensors(folder, change):
    """Other tensors in the folder's state."""
    metadata, tensors = with_metadata(folder), load_file(folder / STATE)
    change(tensors)
    save_file(tensors, folder / STATE, metadata)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"step": "three"}, "step is not JSON"),
        ({"step": "-1"}, "step must be a whole number from 0"),
        ({"step": "7"}, "the step of .* must be a whole number from 0 to 6, got 7"),
        ({"options": "{"}, "options is not JSON"),
        ({"options": "[" * 100_000}, "options is nested too deeply"),
        ({"options": "[]"}, r"options must be an object, got \[\]"),
        ({"options": '{"data": ["synthetic"]}'}, r"data must be \['synthetic'\] as in the run of"),
    ],
)
def test_a_state_whose_step_or_options_are_damaged_is_refused(tmp_path, changes, sentence):
    advance(trainer(), 1).save(tmp_path, "")
    with_metadata(tmp_path, **changes)
    with pytest.raises(ValueError, match=sentence) as refused:
        trainer().resume(tmp_path)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t.pop("network.out.bias"), r"does not fit the network: it lacks the tensor network\.out\.bias"),
        (lambda t: t.pop("ema 0.1.out.bias"), r"it lacks the tensor ema 0\.1\.out\.bias"),
        (lambda t: t.update({"network.x": torch.zeros(1)}), r"has the tensor 'network\.x', which the network has not"),
        (lambda t: t.update({"network.out.bias": torch.zeros(3)}), r"network\.out\.bias must be .*, got F32 of shape"),
        (lambda t: t.pop("optimizer.out.bias.exp_avg"), r"state must have exp_avg of out\.bias, of shape \(4,\)"),
        (
            lambda t: t.update({"optimizer.out.bias.exp_avg": torch.zeros(3)}),
            r"state must have exp_avg of out\.bias, of shape \(4,\)",
        ),
    ],
)
def test_a_state_whose_tensors_do_not_fit_is_refused(tmp_path, change, sentence):
    advance(trainer(), 1).save(tmp_path, "")
    with_tensors(tmp_path, change)
    with pytest.raises(ValueError, match=sentence):
        trainer().resume(tmp_path)


@pytest.mark.parametrize("kind", ["folder", "dangling"])
def test_a_state_that_is_no_file_is_refused(tmp_path, kind):
    if kind == "folder":
        (tmp_path / STATE).mkdir()
    else:
        (tmp_path / STATE).symlink_to("absent")
    with pytest.raises(ValueError, match="is cut off or not a safetensors file"):
        trainer().resume(tmp_path)


@pytest.mark.parametrize("part", ["weights", "optimiser"])
def test_a_good_state_is_never_overwritten_by_one_that_is_not_finite(tmp_path, part):
    run = advance(trainer(), 2)
    run.save(tmp_path, "")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    spoilt = run.network.out.bias if part == "weights" else run.optimizers.tensors()["out.bias.exp_avg"]
    with torch.no_grad():
        spoilt[0] = torch.nan
    with pytest.raises(
        NotFiniteError, match=r"state after step 2 of 6 must be finite, got 1 of \d+ tensors that are not"
    ):
        run.save(tmp_path, "")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_state_that_is_not_finite_is_not_resumed(tmp_path):
    advance(trainer(), 1).save(tmp_path, "")
    path, metadata = tmp_path / STATE, with_metadata(tmp_path)
    tensors = load_file(path)
    tensors["network.out.bias"][0] = torch.inf
    save_file(tensors, path, metadata)
    with pytest.raises(ValueError, match=r"the state of .* must be finite, got 1 of \d+ tensors that are not"):
        trainer().resume(tmp_path)
