"""Drawing samples: the paper's Algorithm 2 and other samplers, over one loop.

Read ``samplers`` (each a pure step that consumes one prediction), ``loop`` (evaluate, guide, advance: the only sampling
loop there is), then ``langevin`` (a corrector for any sampler). May import ``guidance``, ``diffusion`` and the helpers
at the top; a sampler itself knows of no rule and no network.
"""
