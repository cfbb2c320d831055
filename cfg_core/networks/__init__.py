"""Networks: the U-Net that denoises, and the two classifiers. They know nothing of diffusion.

Read unet.py with blocks.py and linear.py, then classifier.py (of clean images) and noise_aware_classifier.py.
May import only the top-level helpers.
"""
