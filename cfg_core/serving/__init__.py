"""The service behind the page: many sessions, one worker that advances all of their samples together.

Read engine.py (sessions and the worker), scheduler.py (which samples go first), grid_job.py (a grid in progress),
registry.py (the models of the page), precomputed.py (strips that ship), zerogpu.py (remote GPUs), memory.py.
May import data, networks, diffusion, guidance, sampling, grids, checkpoints, evaluation and the top-level helpers.
"""
