"""Guidance rules: from what a model predicts of one noisy sample, and the strength w, to one guided prediction.

Read ``rule`` (the protocol, and what a rule's memory means), then a family: ``classifier_free`` (the paper's eq. 6),
``classifier_guidance`` (its section 3.1), ``interval``. ``rules`` is the table of all, ``guide`` evaluates what they
ask for. May import ``diffusion`` and the helpers at the top; knows of no sampler and no network.
"""
