"""A classifier's training resumes from the end of its last epoch."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from cfg_core.data.datasets import DataSet, synthetic
from cfg_core.networks.classifier import ClassifierArchitecture, ClassifierNetwork
from cfg_core.training.classifier_run import ClassifierOptions, ClassifierRun
from cfg_core.training.classifiers import Recipe, train_classifier
from cfg_core.training.finite import NotFiniteError
from cfg_core.training.optimizers import muon_of_unit_kernels

RECIPE = Recipe(epochs=3, batch=100, smoothing=0.2)


@pytest.fixture(scope="module")
def pictures() -> DataSet:
    return replace(synthetic("test"), mirror=True)


def fresh(pictures: DataSet, recipe: Recipe = RECIPE) -> ClassifierRun:
    architecture = ClassifierArchitecture(1, 16, 4, (8, 8), stem=4)
    torch.manual_seed(0)
    network = ClassifierNetwork(architecture)
    options = ClassifierOptions(pictures.fingerprint, architecture, False, recipe, "muon", "default", 0)
    return ClassifierRun(options, network, muon_of_unit_kernels(network), torch.Generator().manual_seed(0))


def trained(run: ClassifierRun, pictures: DataSet, folder: Path, steps: int = 1000) -> dict[str, torch.Tensor]:
    """The weights after so many steps, or at the run's end."""
    losses = train_classifier(
        run.network,
        run.network,
        pictures,
        run.optimizers,
        RECIPE,
        run.generator,
        None,
        run.resume(folder, pictures.name),
        partial(run.save, folder),
    )
    for _ in zip(range(steps), losses, strict=False):
        pass
    return run.network.state_dict()


def test_a_killed_run_goes_on_to_the_bit(pictures: DataSet, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    expected = trained(fresh(pictures), pictures, whole)
    trained(fresh(pictures), pictures, killed, steps=9)  # an epoch has 6: the last three of these are lost
    found = trained(fresh(pictures), pictures, killed)
    assert all(torch.equal(found[name], t) for name, t in expected.items())


def test_another_recipe_or_other_pictures_are_refused(pictures: DataSet, tmp_path: Path) -> None:
    fresh(pictures).save(tmp_path, 1)
    with pytest.raises(ValueError, match="recipe must be"):
        fresh(pictures, replace(RECIPE, smoothing=0.1)).resume(tmp_path, pictures.name)
    others = replace(pictures, images=255 - pictures.images)
    with pytest.raises(ValueError, match="data must be"):
        fresh(others).resume(tmp_path, "others")


def test_weights_that_are_not_finite_are_not_saved(pictures: DataSet, tmp_path: Path) -> None:
    run = fresh(pictures)
    with torch.no_grad():
        run.network.get_parameter("head.bias")[0] = torch.nan
    with pytest.raises(NotFiniteError, match="weights must be finite"):
        run.save(tmp_path, 1)
    assert not list(tmp_path.iterdir())
