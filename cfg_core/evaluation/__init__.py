"""What samples are worth: metrics, sweeps over w, curve files, and the conclusions that curves allow.

Read metrics.py (FID, Inception Score, precision and recall, Vendi score), sweep.py (every metric over w),
curve_file.py, curves.py (curves in groups), conclusions.py (sentences from figures), paper_tables.py, meters.py (live,
of one grid).
May import data, networks, diffusion, guidance, sampling, grids, checkpoints and the top-level helpers.
"""
