"""The commands of ``python -m cfg_core COMMAND``, one thin file each: options, checks, then calls into the packages.

Read common.py (what they share), then sample.py, the shortest path from options to images; train.py, classifier.py,
evaluate.py, measure.py, curves.py, data.py, hub.py and precompute.py in any order. Each has ``main(arguments)``, which
exits with status 2 and one sentence for bad input, before anything long begins; ``cfg_core.__main__`` lists them.
May import data, networks, diffusion, guidance, sampling, grids, checkpoints, evaluation, publishing, serving, training
and the top-level helpers.
"""
