"""Networks: the U-Net that denoises, and the two classifiers. They know nothing of diffusion.

Read ``unet``, then ``classifier`` (of clean images) and ``noise_aware_classifier``. May import only the top-level
helpers.
"""
