"""The paper's section 2: a denoiser at a log-SNR, λ being the only notion of time.

Read ``schedule`` (λ, α, σ), ``prediction`` (x, ε, v and score), ``denoiser`` (the protocol), then its two kinds,
``mixture`` (exact) and ``network_denoiser``. ``spacings`` has the λ of a sampler's steps, ``noise`` is a pure function
of (seed, sample, step). May import ``networks`` and the helpers at the top.
"""
