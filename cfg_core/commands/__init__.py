"""The commands of ``python -m cfg_core COMMAND``, one thin file each: options, checks, then calls into the packages.

Each has ``main(arguments)``, which exits with status 2 and one sentence for bad input, before anything long begins.
``cfg_core/__main__.py`` lists them; ``common`` has what they share. They may import everything but ``ui``.
"""
