"""Steps that read nothing from the host are the trainer's own; on a GPU they are replayed as one graph."""

from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from accelerate.utils import AutocastKwargs

from cfg_core.data.datasets import synthetic
from cfg_core.training.finite import NotFiniteError
from cfg_core.training.step_graph import StepGraph
from cfg_core.training.trainer import Trainer
from tests.training.small_runs import advance, options, trainer

MUON = {"optimizer": "muon", "ema": (0.1, 0.05), "images": 64 * 40, "decay": "linear"}
GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="a CUDA graph needs a GPU of NVIDIA's")


def whole_steps(run: Trainer, steps: int, at_once: int, captured: bool = False) -> torch.Tensor:
    """Advances the run by so many steps; the sums of their losses."""
    graph, sums = StepGraph(run, at_once), torch.zeros(2, 2, device=run.accelerator.device)
    if captured:
        graph.captured()
    for first in range(run.step, run.step + steps, at_once):
        count = min(at_once, steps)
        sums += graph.advance(first, count)
        run.step += count
    return sums


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_the_steps_that_a_graph_holds_are_those_of_the_trainer(optimizer: str) -> None:
    chosen = {**MUON, "optimizer": optimizer}
    one, other = trainer(**chosen), trainer(**chosen)
    sums = sum(one.advance() for _ in range(36))  # 2,304 of 2,048 images: into the second epoch
    torch.testing.assert_close(whole_steps(other, 36, 6), sums)
    for name, tensor in one.tensors().items():
        torch.testing.assert_close(other.tensors()[name], tensor, msg=name)


class OnMeta(torch.Generator):
    """A generator that seems to be one of a device from which nothing can be read back."""

    device = torch.device("meta")


def test_nothing_in_a_step_waits_for_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.optim.AdamW, "step", lambda self: None)  # its kernel cannot do without values
    accelerator = SimpleNamespace(
        device=OnMeta.device,
        num_processes=1,
        prepare=lambda network: network.to("meta"),
        backward=torch.Tensor.backward,
        reduce=lambda tensor, how: tensor,
        clip_grad_norm_=torch.nn.utils.clip_grad_norm_,
    )
    graph = StepGraph(Trainer(options(**MUON), synthetic(), accelerator), 4)
    graph._generator = OnMeta()
    graph.step()


def test_a_loss_that_is_not_finite_is_named_with_its_step() -> None:
    run = advance(trainer(**MUON), 2)
    with torch.no_grad():
        run.network.out.bias[0] = torch.nan
    with pytest.raises(NotFiniteError, match="loss must be finite, got nan in step 3 of 40"):
        whole_steps(run, 4, 4)


def test_a_run_on_a_cpu_has_no_graph() -> None:
    assert not StepGraph.serves(trainer())


def on_gpu(**changes: object) -> Trainer:
    accelerator = Accelerator(mixed_precision="bf16", kwargs_handlers=[AutocastKwargs(cache_enabled=False)])
    return Trainer(options(precision="bfloat16", **changes), synthetic(), accelerator)


def apart(one: Trainer, other: Trainer) -> float:
    """How far the weights of two runs are apart, as a share of how far the first has come from its beginning."""
    start = on_gpu(**MUON).network.state_dict()
    found, theirs = one.network.state_dict(), other.network.state_dict()
    moved = sum((found[name] - start[name]).square().sum() for name in found)
    return float(sum((found[name] - theirs[name]).square().sum() for name in found) / moved) ** 0.5


@GPU
def test_the_graph_trains_as_its_steps_do_one_by_one() -> None:
    graph, steps = on_gpu(**MUON), on_gpu(**MUON)
    assert StepGraph.serves(graph)
    replayed = whole_steps(graph, 30, 10, captured=True)
    torch.testing.assert_close(replayed, whole_steps(steps, 30, 10), rtol=0.02, atol=0)
    assert apart(graph, steps) < 0.1


@GPU
def test_a_run_of_graphs_resumes_with_the_same_batches(tmp_path) -> None:
    whole, first, second = on_gpu(**MUON), on_gpu(**MUON), on_gpu(**MUON)
    whole_steps(whole, 20, 10, captured=True)
    whole_steps(first, 10, 10, captured=True)
    first.save(tmp_path, "")
    assert second.resume(tmp_path)
    whole_steps(second, 10, 10, captured=True)
    assert apart(whole, second) < 0.02
