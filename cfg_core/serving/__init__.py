"""Live serving: one worker draws the grids of all sessions together, and equal requests are one computation.

Read in this order:

- ``grid_job``: the computation of one request, its samples in blocks, its frames and trajectory
- ``sessions``: who is served; admission, the queue, expiry, what a session displays and prefetches
- ``scheduler``: the queue's policy, pure functions of sessions and jobs: what the next evaluation round takes
- ``cache``: finished and precomputed grids, and one job for equal requests
- ``worker``: the thread that evaluates round after round, isolates faults and halves the batch out of memory
- ``statistics``: rates and latencies
- ``limits``, ``model``, ``engine``: the limits, a served model, and the facade over all of the above
- ``registry``: models by name, loaded when first chosen
- ``precomputed``, ``zerogpu``, ``memory``: strips that ship with the app, grids of a remote GPU, freed memory

May import ``grids``, ``evaluation``, ``checkpoints``, ``sampling``, ``guidance``, ``diffusion`` and the helpers at the
top of the package; never ``ui`` or ``commands``.
"""
