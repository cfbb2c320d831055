"""Guidance rules: how the predictions of a denoiser and the strength w become one guided prediction (paper, eq. 6).

Read rule.py (the protocol, and what a rule's memory means), then the families: classifier_free.py (eq. 6),
classifier_guidance.py (section 3.1), interval.py. rules.py is the table of all, guide.py evaluates what they ask for.
A rule knows neither the network behind the denoiser nor the sampler that uses its result.
May import diffusion and the top-level helpers.
"""
