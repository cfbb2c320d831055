"""Training: the joint training of Algorithm 1 in a run that can be killed and resumed exactly, and the classifiers.

Read loss.py (Algorithm 1), learning_rate.py and ema.py, then batches.py and trainer.py (one step after the other),
step_graph.py (whole steps on a GPU), options.py and state.py (what identifies a run, and the file it resumes from),
run.py (progress, log and saves); optimizers.py with muon.py, and classifiers.py, are independent of these.
May import data, networks, diffusion, guidance, sampling, grids, checkpoints and the top-level helpers.
"""
