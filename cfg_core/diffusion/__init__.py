"""The diffusion process of the paper, and models as denoisers at a log-SNR λ, the only notion of time.

Read schedule.py (λ, α, σ), spacings.py (which λ a sampler visits), noise.py, prediction.py (x, ε, v and the score),
denoiser.py (the protocol), then the two denoisers: mixture.py (exact) and network_denoiser.py.
May import networks and the top-level helpers.
"""
