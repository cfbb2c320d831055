"""What a model's samples are worth, and what curves of such figures say.

Read frechet.py (FID), inception_score.py, precision_recall.py and vendi.py, a metric each, on features or probabilities
alone; bootstrap.py (their intervals), equal_fidelity.py (two sweeps where they are equally sure of the class),
metrics.py (the table of them); extractor.py and inception.py (what images are measured by), real_images.py, sweep.py
(draws and measures samples over w) and run.py (a whole sweep, resumed), curve_file.py (the format of a sweep),
curves.py (the files of a folder in groups) with conclusions.py, paper_tables.py beside them, documents.py (their
figures in README, docs and cards); meters.py (the two figures under a live grid).
May import data, networks, diffusion, guidance, sampling, grids, checkpoints and the top-level helpers.
"""
