"""Guidance rules: how the predictions of a denoiser and the strength w become one guided prediction (paper, eq. 6).

Read rule.py (the protocol, and what a rule's memory means), then the families: classifier_free.py (eq. 6),
classifier_guidance.py (section 3.1), interval.py. rules.py is the table of all, guide.py makes the evaluations
that a rule needs. A rule depends neither on the network behind the denoiser nor on the sampler.
May import diffusion and the top-level helpers.
"""
