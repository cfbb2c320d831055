"""Sharing models and the page: to the Hub and back, and as a Space.

Read hub.py (push, pull and verify a model, the figures of its curve files in its card), spaces.py (deploy the page).
May import data, networks, diffusion, guidance, sampling, grids, checkpoints, evaluation and the top-level helpers.
"""
