"""The 2-D lab: three Gaussian classes whose every density is known, sampled by the rules and samplers of the images.

Guidance gives, at each λ, the score of p(z_λ|c) p(c|z_λ)^w. It is often said that samples then follow the tilted
density p(x|c) p(c|x)^w; here one can measure how far they are from it.

Read scene.py (the settings), densities.py, distance.py, drawing.py (samples and their distance), trajectory.py.
May import diffusion, guidance, sampling and the top-level helpers.
"""
