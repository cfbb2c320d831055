"""Training: the joint training of Algorithm 1 in a run that can be killed and resumed exactly, and the classifiers.

Read ``loss`` (Algorithm 1), ``learning_rate`` and ``ema``, then ``batches`` and ``trainer`` (one step after the other),
``options`` and ``state`` (what makes two runs the same run, and how it is kept), ``run`` (progress, log and saves);
``optimizers`` and ``classifiers`` stand beside them. May import everything but ``serving``, ``ui`` and ``commands``;
only ``commands`` imports it.
"""
