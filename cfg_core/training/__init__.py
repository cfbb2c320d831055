"""Training of the model (paper, Algorithm 1) and of the classifiers.

Read loss.py (Algorithm 1), trainer.py (the loop, exactly resumable), optimizers.py, run.py (a run in its folder),
classifiers.py.
May import data, networks, diffusion, guidance, sampling, grids, checkpoints and the top-level helpers.
"""
