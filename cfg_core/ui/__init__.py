"""The page: its tabs over the engine, its endpoints for programs, and how Gradio serves it. No torch.

Read page.py (the whole), component.py (a tab's markup, script and functions) and scripts.py (how the scripts are
served), document.py with languages.py (the document around them, with the page's words), explore.py with requests.py,
descriptions.py, rails.py, real_pictures.py and saving.py, step.py, toy2d.py, tradeoff.py (the tabs), room.py with
room_streams.py and class_pictures.py (a class that follows), api.py with api_reply.py and mcp_content.py (programs),
and what stands between strangers and Gradio: connections.py, middleware.py with allowed_routes.py, request_body.py,
refusal.py and client_address.py (requests), call_queue.py (calls of programs), turns.py, log_rate.py.
May import guidance, sampling, grids, checkpoints, evaluation, lessons, serving, toy2d and the top-level helpers.
"""
