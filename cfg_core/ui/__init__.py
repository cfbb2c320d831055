"""The page: its tabs over the engine, its endpoints for programs, and how Gradio serves it. No torch.

Read page.py (the whole), component.py (a tab's markup, script and functions) and scripts.py (how the scripts are
served), explore.py with requests.py, descriptions.py and rails.py, step.py, toy2d.py, tradeoff.py (the tabs), api.py
(programs), middleware.py (requests before they reach Gradio).
May import guidance, sampling, grids, checkpoints, evaluation, serving, toy2d and the top-level helpers.
"""
