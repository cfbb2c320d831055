"""The neural networks, as plain ``torch.nn`` modules that know nothing of diffusion or of the page.

Read unet.py (the denoising network), classifier.py (clean images), noise_aware_classifier.py (noisy ones), linear.py.
May import only the top-level helpers.
"""
