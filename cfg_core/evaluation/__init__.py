"""What a model's samples are worth, and what curves of such figures say.

Read in this order: ``frechet``, ``inception_score``, ``precision_recall`` and ``vendi``, a metric each, on features or
probabilities alone; ``bootstrap``, their intervals; ``metrics``, the table of them; ``sweep``, which draws samples over
guidance strengths and measures them; ``curve_file``, the format in which a sweep is kept; ``curves``, the files of a
folder in groups, with ``conclusions``, and ``paper_tables`` beside them; ``meters``, the two figures under a live grid.

It may import ``grids``, ``checkpoints``, ``sampling``, ``guidance``, ``diffusion``, ``data`` and the top-level helpers;
it knows nothing of ``serving`` and ``ui``.
"""
