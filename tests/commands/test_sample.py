import numpy as np
import pytest
import torch
from PIL import Image

from cfg_core.checkpoints.format import CheckpointConfig, load_checkpoint, save_checkpoint
from cfg_core.commands.sample import main
from cfg_core.diffusion.noise import noise
from cfg_core.diffusion.schedule import Schedule
from cfg_core.grids.drawing import begin_grid, pixels
from cfg_core.grids.request import GridRequest
from cfg_core.grids.sheet import draw_sheet, read_requests
from cfg_core.networks.unet import UNet, UNetConfig
from cfg_core.sampling.loop import sample as run


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    torch.manual_seed(0)
    network = UNet(UNetConfig(1, 8, 3, widths=(16,), encoder=(1,), decoder=(1,)))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    config = CheckpointConfig(
        network.config, Schedule(), "v", "v", ("ant", "bee", "cat"), "synthetic", "CC0-1.0", 0.1, 0, ""
    )
    folder = tmp_path_factory.mktemp("checkpoint")
    save_checkpoint(folder, config, network.state_dict())
    return folder


def draw(checkpoint, out, *arguments):
    main(["--checkpoint", str(checkpoint), "--out", str(out), "--steps", "3", *arguments])


def test_the_sheet_carries_its_request(checkpoint, tmp_path):
    out = tmp_path / "sheet.png"
    draw(checkpoint, out, "--class", "Bee", "2", "--w", "0", "1.5", "--samples", "2", "--seed", "5")
    assert read_requests(out)[0] == GridRequest(load_checkpoint(checkpoint).hash, (1, 2), (0.0, 1.5), 2, 5, steps=3)


def test_a_sheet_can_be_drawn_again_from_its_file_alone(checkpoint, tmp_path):
    draw(checkpoint, tmp_path / "a.png", "--class", "all", "--samples", "1")
    draw(checkpoint, tmp_path / "b.png", "--again", str(tmp_path / "a.png"))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_parameters_of_rule_and_sampler_can_be_set_and_travel_with_the_sheet(checkpoint, tmp_path):
    chosen = ["--sampler", "ddim", "--rule", "interval", "--samples", "1"]
    draw(checkpoint, tmp_path / "a.png", *chosen, "--set", "eta=0.5", "--set", "log_snr_low=-3")
    draw(checkpoint, tmp_path / "plain.png", *chosen)
    found = dict(read_requests(tmp_path / "a.png")[0].parameters)
    assert found == {"eta": 0.5, "log_snr_low": -3.0, "log_snr_high": 2.5}
    draw(checkpoint, tmp_path / "b.png", "--again", str(tmp_path / "a.png"))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    same = [np.asarray(Image.open(tmp_path / name)) for name in ("a.png", "plain.png")]
    assert not np.array_equal(*same)


def test_the_sheet_shows_the_samples(checkpoint):
    denoiser = load_checkpoint(checkpoint).denoiser
    request = GridRequest("", (0, 2), (0.0, 3.0), samples=2, steps=3)
    pictures = pixels(request, run(denoiser, begin_grid(denoiser, request)))
    assert pictures.shape == (2, 2, 2, 8, 8, 1)
    sheet = np.asarray(draw_sheet(request, pictures, denoiser.classes, scale=1))
    for w, label, n in np.ndindex(2, 2, 2):
        tile = pictures[w, label, n, ..., 0]
        windows = np.lib.stride_tricks.sliding_window_view(sheet[..., 0], (8, 8))
        assert (windows == tile).all((2, 3)).any()


def test_every_class_and_w_starts_from_the_same_noise(checkpoint):
    denoiser = load_checkpoint(checkpoint).denoiser
    z = begin_grid(denoiser, GridRequest("", (0, 1, 2), (0.0, 3.0), samples=2, seed=9)).state.z
    assert torch.equal(z, torch.stack([noise(9, n, 0, (1, 8, 8)) for n in range(2)]).repeat(6, 1, 1, 1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--class", "10"], "class must be a whole number from 0 to 2, got 10"),
        (["--class", "dog"], "class must be a whole number from 0 to 2, got 'dog'"),
        (["--w", "nan"], "w must be a number from -1 to 8, got nan"),
        (["--steps", "0"], "steps must be a whole number from 1 to 1024, got 0"),
        (["--seed", "x"], "seed must be a whole number from 0 to 4294967295, got 'x'"),
        (["--samples", "10000"], "samples must be a whole number from 1 to 64, got 10000"),
        (["--sampler", "euler"], "sampler must be one of dpmpp_2m"),
        (["--checkpoint", "nowhere"], "neither a folder nor a Hub name"),
        (["--rule", "classifier"], ", got 'classifier'"),
        (["--set", "eta=1"], "parameters must be among rho for this rule and sampler, got 'eta'"),
        (["--set", "rho=0"], "rho must be a number from 1 to 20, got 0.0"),
        (["--set", "rho"], "set must be name=value with a number, got 'rho'"),
        (["--guide", "nowhere"], "neither a folder nor a Hub name"),
        (["--device", "abacus"], "device must be one of cpu"),
    ],
)
def test_bad_input_exits_with_one_sentence(checkpoint, tmp_path, capsys, arguments, message):
    with pytest.raises(SystemExit) as exit_:
        draw(checkpoint, tmp_path / "sheet.png", *arguments)
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "sheet.png").exists()


def test_a_picture_without_a_request_is_refused(checkpoint, tmp_path, capsys):
    Image.new("L", (4, 4)).save(tmp_path / "plain.png")
    with pytest.raises(SystemExit) as exit_:
        draw(checkpoint, tmp_path / "sheet.png", "--again", str(tmp_path / "plain.png"))
    assert exit_.value.code == 2
    assert "carries no request" in capsys.readouterr().err


def test_an_output_that_cannot_be_written_is_found_before_drawing(checkpoint, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("cfg_core.commands.sample.generate", lambda *_: pytest.fail("drawn"))
    (tmp_path / "file").touch()
    for out in (tmp_path, tmp_path / "file" / "sheet.png"):
        with pytest.raises(SystemExit) as exit_:
            draw(checkpoint, out)
        assert exit_.value.code == 2
        assert "out must be a file that can be written, got" in capsys.readouterr().err.splitlines()[-1]
