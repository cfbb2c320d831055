"""Sharing models and the page: to the Hub and back, and as a Space.

Read hub.py (push a model, pull and verify one), pushed_card.py (the samples and figures in its card), spaces.py (deploy
the page).
May import data, networks, diffusion, guidance, sampling, grids, checkpoints, evaluation and the top-level helpers.
"""
