"""What every rule declares, and that it is what it says: where it is plain guidance, and what it refuses."""

import re

import pytest
import torch

from cfg_core.guidance.rules import RULES, rules
from cfg_core.sampling.loop import begin, sample
from cfg_core.sampling.samplers import SAMPLERS
from tests.guidance.noisy import column, guided, noisy


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_what_it_does_what_it_claims_and_where_that_is_written(name):
    rule = RULES[name]
    assert rule.title
    assert rule.formula
    assert "\n" not in rule.claim
    assert 20 < len(rule.claim) < 110
    assert re.fullmatch(r"https://arxiv\.org/abs/\d{4}\.\d{5}", rule.paper.url)
    assert re.fullmatch(r"[\w& .]+ (19|20)\d\d", rule.paper.authors)
    assert {parameter.name for parameter in rule.parameters} >= set(rule.as_cfg or {})


def test_plain_guidance_stands_first_and_the_others_in_the_order_of_their_papers():
    assert next(iter(RULES)) == "cfg"
    numbers = [rule.paper.arxiv for name, rule in RULES.items() if name != "cfg"]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.as_cfg is not None])
def test_a_rule_is_plain_guidance_at_the_values_that_it_names(equipped, name):
    if name not in rules(equipped):
        pytest.skip("not for samples of this kind")
    plain, found = guided(equipped, "cfg")[0], guided(equipped, name, **RULES[name].as_cfg)[0]
    assert torch.allclose(found.x, plain.x, rtol=1e-8, atol=1e-8)
    assert torch.allclose(found.eps, plain.eps, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.as_cfg])
def test_and_at_its_defaults_it_is_not(equipped, name):
    if name not in rules(equipped):
        pytest.skip("not for samples of this kind")
    plain, found = guided(equipped, "cfg")[0], guided(equipped, name)[0]
    assert not torch.allclose(found.x, plain.x, atol=1e-3)


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if not rule.renoises])
def test_x_and_eps_of_a_guided_prediction_are_of_one_z(equipped, name):
    if name not in rules(equipped):
        pytest.skip("not for samples of this kind")
    z, log_snr, _ = noisy(equipped)
    found = guided(equipped, name)[0]
    alpha, sigma = (column(each.sigmoid().sqrt(), z) for each in (log_snr, -log_snr))
    assert torch.allclose(alpha * found.x + sigma * found.eps, z, atol=1e-7)


@pytest.mark.parametrize("sampler", [name for name, sampler in SAMPLERS.items() if not sampler.renoises])
def test_a_rule_that_renoises_is_refused_by_samplers_that_do_not(mixture, sampler):
    renoising = [name for name, rule in RULES.items() if rule.renoises]
    assert renoising
    for rule in renoising:
        with pytest.raises(ValueError, match=f"sampler must be one of ddim for the rule {rule}, got '{sampler}'"):
            begin(
                mixture,
                lambda step: torch.zeros(1, 3),
                torch.zeros(1).long(),
                torch.ones(1),
                sampler=sampler,
                rule=rule,
            )


@pytest.mark.parametrize("name", RULES)
def test_every_rule_draws_finite_samples_over_the_whole_schedule(guided_network, name):
    if name not in rules(guided_network):
        pytest.skip("not for samples of this kind")
    noise = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    w = torch.tensor([-1.0, 0.0, 1.0, 8.0])
    job = begin(guided_network, lambda step: noise, torch.zeros(4).long(), w, sampler="ddim", steps=6, rule=name)
    assert bool(sample(guided_network, job).isfinite().all())
