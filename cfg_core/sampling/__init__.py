"""Samplers, and the one loop in which they run: evaluate the denoiser, guide, advance (paper, Algorithm 2).

Read samplers.py (each a pure step), loop.py (the loop that scripts, tests and the engine share), langevin.py (a
corrector for any sampler), feynman_kac.py (weighted particles that follow the tilted density).
May import diffusion, guidance and the top-level helpers.
"""
