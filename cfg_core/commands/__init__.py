"""The command line: ``python -m cfg_core COMMAND``, one file for each command, options and messages only.

Read sample.py first, the shortest path from options to images; then train.py, classifier.py, evaluate.py, curves.py,
data.py, hub.py and precompute.py in any order.
May import data, networks, diffusion, guidance, sampling, grids, checkpoints, evaluation, serving, training and the
top-level helpers.
"""
