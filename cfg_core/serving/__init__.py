"""Live serving: one worker draws the grids of all sessions together, and equal requests are one computation.

Read in this order:

- grid_job.py: the computation of one request, its samples in blocks, its frames and trajectory
- sessions.py: who is there; expiry, what a session displays and prefetches
- admission.py: the policy of places, pure functions of sessions: who is served, who waits, who makes room
- scheduler.py: the queue's policy, pure functions of sessions and jobs: what the next evaluation round takes
- cache.py: finished and precomputed grids, and one job for equal requests
- worker.py: the thread that evaluates round after round, isolates faults and halves the batch out of memory
- statistics.py: rates and latencies
- limits.py, model.py, engine.py: the limits, a served model, and the facade over all of the above
- registry.py: models by name, loaded when first chosen
- trajectories.py: samples with every step kept, drawn one at a time beside the worker
- rooms.py, attempts.py: a class that follows its teacher's page, and how often a code may be tried
- precomputed.py, zerogpu.py, memory.py: strips that ship with the app, grids of a remote GPU, freed memory

May import data, networks, diffusion, guidance, sampling, grids, checkpoints, evaluation and the top-level helpers.
"""
