"""Networks: the U-Net that denoises, and the two classifiers. They know nothing of diffusion.

Read ``unet`` with ``blocks`` and ``linear``, then ``classifier`` (of clean images) and ``noise_aware_classifier``. Imports nothing of
the project but the top-level helpers.
"""
