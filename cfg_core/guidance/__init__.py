"""Guidance rules: how the predictions of a denoiser and the strength w become one guided prediction (paper, eq. 6).

Read rules.py. A rule knows neither the network behind the denoiser nor the sampler that uses its result.
May import diffusion and the top-level helpers.
"""
