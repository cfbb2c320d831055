"""The loop hands out what it made: the guided prediction with its parts; and w, to a model that takes it."""

import torch

from cfg_core.diffusion.network_denoiser import NetworkDenoiser
from cfg_core.diffusion.noise import grid_noise
from cfg_core.guidance.guide import guide
from cfg_core.guidance.rules import RULES
from cfg_core.sampling.loop import begin, generate


def test_every_step_can_be_looked_into(figure_2):
    noise, w = grid_noise(0, range(3), (2,), figure_2.device), torch.tensor([0.5, 1.0, 3.0])
    for state, prediction in generate(figure_2, begin(figure_2, noise, torch.arange(3), w, steps=4)):
        conditional, unconditional = prediction.parts["conditional"], prediction.parts["unconditional"]
        assert torch.equal(state.x, prediction.x)
        expected = conditional.x + w[:, None] * (conditional.x - unconditional.x)
        assert torch.equal(prediction.x, expected)
        assert torch.equal(prediction[1:].parts["conditional"].x, conditional.x[1:])
        assert prediction[1:].parts["conditional"].x.data_ptr() == conditional.x[1:].data_ptr(), "a view, no copy"


def test_w_reaches_a_model_that_takes_it_and_no_other(tiny_denoiser):
    class Student(NetworkDenoiser):
        takes_w = True
        given = None

        def predict(self, z, log_snr, labels, rows, w=None):
            self.given = w
            return super().predict(z, log_snr, labels, rows)

    z, log_snr, labels, w = torch.zeros(2, 1, 8, 8), torch.zeros(2), torch.zeros(2).long(), torch.tensor([0.0, 2.0])
    student = Student(tiny_denoiser.network, tiny_denoiser.schedule, tiny_denoiser.classes)
    guide(student, RULES["cfg"], z, log_snr, labels, w)
    assert torch.equal(student.given, w)
    student.takes_w = False
    guide(student, RULES["cfg"], z, log_snr, labels, w)
    assert student.given is None
