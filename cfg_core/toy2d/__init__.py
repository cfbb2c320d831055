"""The 2-D lab: three mixtures of Gaussians, of known density, sampled by the rules and samplers of the images.

Guidance gives, at each λ, the score of p(z_λ|c) p(c|z_λ)^w. Samples are often assumed to follow the tilted
density p(x|c) p(c|x)^w then; here their distance from it is measured.

Read scene.py (the settings), densities.py, distance.py, drawing.py (samples and their distance), trajectory.py,
same_cost.py (what particles are compared with).
May import diffusion, guidance, sampling and the top-level helpers.
"""
