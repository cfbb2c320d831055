"""Guidance rules: how the predictions of a denoiser and the strength w become one guided prediction (paper, eq. 6).

Read rule.py (the protocol, and what a rule's memory means), guide.py (the evaluations that a rule needs), then the
folder rules, which holds one file a family and finds them by itself. A rule depends neither on the network behind the
denoiser nor on the sampler. May import diffusion and the top-level helpers.
"""
