"""What a model's samples are worth, and what curves of such figures say.

Read frechet.py (FID), inception_score.py, precision_recall.py and vendi.py, a metric each, on features or probabilities
alone; bootstrap.py (their intervals), metrics.py (the table of them); sweep.py (draws and measures samples over w),
curve_file.py (the format of a sweep), curves.py (the files of a folder in groups) with conclusions.py,
paper_tables.py beside them; meters.py (the two figures under a live grid).
May import data, networks, diffusion, guidance, sampling, grids, checkpoints and the top-level helpers.
"""
