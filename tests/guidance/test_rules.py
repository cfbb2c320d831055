import pytest
import torch

from cfg_core.diffusion.noise import grid_noise
from cfg_core.diffusion.prediction import Prediction
from cfg_core.diffusion.schedule import alpha_sigma
from cfg_core.guidance.guide import guide
from cfg_core.guidance.rule import CONDITIONAL, UNCONDITIONAL
from cfg_core.guidance.rules import RULES
from cfg_core.sampling.loop import advance_jobs, begin, sample

CFG = RULES["cfg"]
STEERED = [rule for rule in RULES.values() if "classifier" in rule.sources]
W = [-1.0, -0.5, 0.0, 0.1, 1.0, 4.0]


@pytest.fixture(params=["tiny_denoiser", "mixture"])
def denoiser(request):
    return request.getfixturevalue(request.param)


def noisy(denoiser, size, dtype=torch.float32):
    z = torch.randn(size, *denoiser.shape, generator=torch.Generator().manual_seed(1), dtype=dtype)
    return z, torch.linspace(-8, 8, size, dtype=torch.float64), torch.arange(size) % denoiser.null_label


def null(denoiser, labels):
    return torch.full_like(labels, denoiser.null_label)


def assert_bitwise(a: Prediction, b: Prediction):
    assert torch.equal(a.x, b.x)
    assert torch.equal(a.eps, b.eps)


def test_w_minus_1_is_exactly_the_unconditional_prediction(denoiser):
    z, log_snr, labels = noisy(denoiser, 20)
    guided = guide(denoiser, CFG, z, log_snr, labels, torch.full((20,), -1.0))
    assert_bitwise(guided, denoiser(z, log_snr, null(denoiser, labels)))


def test_w_0_is_exactly_the_conditional_prediction(denoiser):
    z, log_snr, labels = noisy(denoiser, 20)
    guided = guide(denoiser, CFG, z, log_snr, labels, torch.zeros(20))
    assert_bitwise(guided, denoiser(z, log_snr, labels))


@pytest.mark.parametrize("at", [-1.0, 0.0])
def test_guidance_is_continuous_where_a_half_drops_out(denoiser, at):
    z, log_snr, labels = noisy(denoiser, 20, torch.float64)
    there = guide(denoiser, CFG, z, log_snr, labels, torch.full((20,), at, dtype=torch.float64))
    steps = []
    for distance in (1e-2, 1e-4):
        for sign in (-1, 1):
            w = torch.full((20,), at + sign * distance, dtype=torch.float64)
            moved = guide(denoiser, CFG, z, log_snr, labels, w).x - there.x
            steps.append(moved.detach().abs().max().item() / distance)
    assert min(steps) > 1e-3  # it does move,
    assert max(steps) == pytest.approx(min(steps), rel=1e-3)  # in proportion to w, on both sides


def test_w_moves_along_the_difference_of_the_halves(denoiser):
    z, log_snr, labels = noisy(denoiser, 6, torch.float64)
    conditional, unconditional = denoiser.pair(z, log_snr, labels)
    guided = guide(denoiser, CFG, z, log_snr, labels, torch.full((6,), 3.0))
    assert torch.allclose(guided.eps, 4 * conditional.eps - 3 * unconditional.eps, atol=1e-9)
    assert_bitwise(guided.parts["conditional"], conditional)
    assert_bitwise(guided.parts["unconditional"], unconditional)


def test_halves_that_do_not_count_are_not_computed(denoiser, monkeypatch):
    asked = []
    predict = denoiser.predict
    monkeypatch.setattr(
        denoiser, "predict", lambda z, log_snr, labels, rows: asked.append(labels) or predict(z, log_snr, labels, rows)
    )
    z, log_snr, labels = noisy(denoiser, 6)
    for w, conditional, unconditional in [([-1.0] * 6, 0, 6), ([0.0] * 6, 6, 0), ([2.0] * 6, 6, 6), (W, 5, 5)]:
        guide(denoiser, CFG, z, log_snr, labels, torch.tensor(w))
        nulls = int((asked[-1] == denoiser.null_label).sum())
        assert (len(asked[-1]) - nulls, nulls) == (conditional, unconditional)
    assert len(asked) == 4  # one evaluation each


def test_w_is_per_sample(denoiser):
    z, log_snr, labels = noisy(denoiser, 18)
    w = torch.tensor(W * 3)
    mixed = guide(denoiser, CFG, z, log_snr, labels, w)
    for n in range(18):
        alone = guide(denoiser, CFG, z[n : n + 1], log_snr[n : n + 1], labels[n : n + 1], w[n : n + 1])
        assert_bitwise(mixed[n : n + 1], alone)


@pytest.mark.parametrize("w", W)
def test_cfg_is_the_same_in_eps_x_v_and_score(denoiser, w):
    z, log_snr, labels = noisy(denoiser, 20, torch.float64)
    conditional, unconditional = denoiser.pair(z, log_snr, labels)
    guided = guide(denoiser, CFG, z, log_snr, labels, torch.full((20,), w, dtype=torch.float64))
    for kind in ("eps", "x", "v", "score"):
        expected = (1 + w) * getattr(conditional, kind) - w * getattr(unconditional, kind)
        assert torch.allclose(getattr(guided, kind), expected, rtol=1e-9, atol=1e-9), kind
    alpha, sigma = (c.reshape(-1, *[1] * (z.ndim - 1)) for c in alpha_sigma(log_snr))
    assert torch.allclose(alpha * guided.x + sigma * guided.eps, z, atol=1e-9)


@pytest.mark.parametrize("w", [-1.0, 0.0, 0.5, 3.0])
@pytest.mark.parametrize("log_snr", [-20.0, -4.0, 0.0, 4.0, 12.0])
def test_the_exact_mixtures_cfg_is_classifier_guidance(mixture, w, log_snr):
    """ε̃ = ε(z, c) − w σ ∇_z log p(c|z), the gradient by autograd from the densities: log p(z|c) − log p(z)."""
    labels = torch.tensor([0, 1] * 10)
    at = torch.full((20,), log_snr, dtype=torch.float64)
    alpha, sigma = (c.reshape(-1, 1) for c in alpha_sigma(at))
    generator = torch.Generator().manual_seed(2)
    noise = torch.randn(20, 3, generator=generator, dtype=torch.float64)
    z = (alpha * mixture.sample(labels, generator) + sigma * noise).requires_grad_()
    log_p_c = mixture.log_density(z, at, labels) - mixture.log_density(z, at, null(mixture, labels))
    (gradient,) = torch.autograd.grad(log_p_c.sum(), z)
    z = z.detach()
    expected = mixture(z, at, labels).eps - w * sigma * gradient
    guided = guide(mixture, CFG, z, at, labels, torch.full((20,), w, dtype=torch.float64))
    assert torch.allclose(guided.eps, expected, rtol=1e-8, atol=1e-9)
    assert w == 0 or log_snr == -20 or float((w * sigma * gradient).abs().max()) > 1e-3


def test_a_sweep_over_w_is_a_batch(tiny_denoiser):
    """One noise, many w: each column equals the picture drawn for that w alone."""
    labels = torch.full((len(W),), 4)
    noise = grid_noise(1, [0] * len(W), (1, 8, 8), torch.device("cpu"))
    swept = sample(tiny_denoiser, begin(tiny_denoiser, noise, labels, torch.tensor(W), sampler="ddim", steps=4))
    one = grid_noise(1, [0], (1, 8, 8), torch.device("cpu"))
    for n, w in enumerate(W):
        alone = begin(tiny_denoiser, one, labels[:1], torch.tensor([w]), sampler="ddim", steps=4)
        assert torch.equal(sample(tiny_denoiser, alone)[0], swept[n])


def test_stronger_guidance_leaves_the_other_classes(figure_2):
    """Paper, Figure 2: as w grows, samples of a class grow surer of it."""
    labels = torch.zeros(400, dtype=torch.long)
    noise = grid_noise(0, range(400), (2,), torch.device("cpu"))
    sure = []
    for w in (-1.0, 0.0, 1.0, 4.0):
        x = sample(figure_2, begin(figure_2, noise, labels, torch.full((400,), w), steps=16))
        sure.append(float(figure_2.log_class_posterior(x, torch.full((400,), 20.0))[:, 0].exp().mean()))
    assert sure == sorted(sure)
    assert sure[0] < 0.5 < 0.99 < sure[-1]


# ---- rules that ask a noise-aware classifier ----


def test_the_class_gradient_is_that_of_finite_differences(guided_network, mixture):
    for denoiser in (guided_network, mixture):
        z, log_snr, labels = noisy(denoiser, 6, torch.float64)
        gradient = denoiser.class_gradient(z, log_snr, labels)
        direction = torch.randn(z.shape, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
        h = 1e-2 if denoiser is guided_network else 1e-5  # the network computes in float32

        def log_p(z):
            return denoiser.log_class_posterior(z, log_snr).gather(1, labels[:, None])[:, 0].double()  # noqa: B023

        slope = (log_p(z + h * direction) - log_p(z - h * direction)) / (2 * h)
        found = (gradient * direction).flatten(1).sum(1)
        assert torch.allclose(found, slope, rtol=2e-3, atol=1e-3 * float(slope.abs().max()))
        assert float(slope.abs().max()) > 1e-2


@pytest.mark.parametrize("rule", STEERED, ids=lambda rule: rule.title)
@pytest.mark.parametrize("w", W)
def test_on_the_exact_mixture_all_rules_are_classifier_free_guidance(mixture, rule, w):
    """The mixture's classifier is the one its densities imply, so the paper's theory holds exactly."""
    z, log_snr, labels = noisy(mixture, 20, torch.float64)
    strengths = torch.full((20,), w, dtype=torch.float64)
    expected = guide(mixture, CFG, z, log_snr, labels, strengths)
    found = guide(mixture, rule, z, log_snr, labels, strengths)
    assert torch.allclose(found.eps, expected.eps, rtol=1e-8, atol=1e-9)
    assert torch.allclose(found.x, expected.x, rtol=1e-8, atol=1e-9)


def test_the_bayes_mixture_is_the_weighted_sum_over_the_classes(guided_network):
    z, log_snr, labels = noisy(guided_network, 5)
    rule, w = RULES["bayes"], torch.full((5,), 2.0)
    with torch.inference_mode():
        found = guide(guided_network, rule, z, log_snr, labels, w).parts["unconditional"]
        weights = guided_network.log_class_posterior(z, log_snr).exp()
        each = [guided_network(z, log_snr, torch.full((5,), label)).eps for label in range(10)]
    expected = sum(weights[:, label, None, None, None] * eps for label, eps in enumerate(each))
    assert torch.allclose(found.eps, expected, atol=1e-6)
    assert float((weights.max(1).values - weights.min(1).values).max()) > 0.01


@pytest.mark.parametrize("rule", RULES)
def test_a_sample_is_the_same_beside_samples_of_other_rules(guided_network, rule):
    def job(name):
        number, rest = list(RULES).index(name), {"steps": 4, "rule": name, "sampler": "ddim"}
        return begin(guided_network, noise_of(number), torch.tensor([number % 10]), torch.tensor([2.0]), **rest)

    with torch.inference_mode():
        jobs = {name: job(name) for name in RULES}
        alone = sample(guided_network, job(rule))
        while not jobs[rule].state.done:
            advance_jobs(guided_network, list(jobs.values()))
    assert torch.equal(jobs[rule].state.z, alone)


def noise_of(sample):
    return grid_noise(1, [sample], (1, 8, 8), torch.device("cpu"))


def test_rules_part_where_the_classifier_is_not_the_implied_one(guided_network):
    z, log_snr, labels = noisy(guided_network, 6)
    w = torch.full((6,), 2.0)
    free = guide(guided_network, CFG, z, log_snr, labels, w).eps
    for rule in STEERED:
        assert not torch.allclose(guide(guided_network, rule, z, log_snr, labels, w).eps, free, atol=1e-2)


def test_a_denoiser_without_a_classifier_says_so(tiny_denoiser):
    z, log_snr, labels = noisy(tiny_denoiser, 2)
    with pytest.raises(ValueError, match="must have a noise-aware classifier"):
        guide(tiny_denoiser, RULES["classifier"], z, log_snr, labels, torch.ones(2))


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_linear_exactly_where_it_says_so(name):
    """On results that are made up: c + w (c − u) where u is needed for w = 1, and c elsewhere."""
    rule, generator = RULES[name], torch.Generator().manual_seed(3)
    log_snr, count = torch.linspace(-6, 6, 9, dtype=torch.float64), (9,)
    values = {parameter.name: parameter.default for parameter in rule.parameters}
    needs = rule.needs(log_snr, torch.ones(count), values)

    def made(*shape):
        return torch.randn(*count, *shape, generator=generator, dtype=torch.float64)

    def result(evaluation):
        several = (3,) if evaluation.label == "every" else ()
        if evaluation.source == "classifier":
            return made(3).softmax(1) if several else made(4, 4, 4)
        return Prediction(log_snr, made(*several, 4, 4, 4), made(*several, 4, 4, 4))

    results = {evaluation: result(evaluation) for evaluation in {CONDITIONAL: 0, UNCONDITIONAL: 0, **needs}}
    c, u = results[CONDITIONAL], results[UNCONDITIONAL]
    acts = needs.get(UNCONDITIONAL, torch.zeros(count).bool())[:, None, None, None]
    repeated = Prediction(log_snr, torch.where(acts, u.x, c.x), torch.where(acts, u.eps, c.eps))
    given = {**results, UNCONDITIONAL: repeated}
    for strength in (0.5, 3.0):
        guided, _ = rule.combine(given, torch.full(count, strength, dtype=torch.float64), values, None)
        expected = torch.where(acts, c.x + strength * (c.x - u.x), c.x)
        assert torch.allclose(guided.x, expected, atol=1e-12) == rule.linear
