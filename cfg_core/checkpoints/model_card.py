"""Model cards: what a checkpoint's config says, as a README of the Hub."""

from collections.abc import Mapping
from typing import Any

from cfg_core.checkpoints.format import CheckpointConfig
from cfg_core.checkpoints.model_folder import REAL


def model_card(config: CheckpointConfig) -> str:
    """A model card that says what the config says; what was measured is added by whoever measured it."""
    a = config.architecture
    return f"""---
license: apache-2.0
tags: [diffusion, classifier-free-guidance, guidance-lab]
---
# A guided diffusion model of {config.data}

Draws {a.size}×{a.size} pictures of {", ".join(config.classes)}, jointly trained with and without the class
([Ho & Salimans, 2022](https://arxiv.org/abs/2207.12598)), so that classifier-free guidance works at any strength w.

- **Network**: a convolutional U-Net of widths {", ".join(map(str, a.widths))}; the class enters
  {"the decoder only, so that both halves of guidance share the encoder" if a.late else "every block"}.
- **Trained** on {config.images_seen:,} images{"" if config.finished else " so far"}, the label dropped with
  probability {config.p_uncond:g}, predicting
  {config.prediction} under the loss weight `{config.loss_weight}`, λ from {config.schedule.log_snr_min:g} to
  {config.schedule.log_snr_max:g}. The weights are an exponential moving average.
- **Command**: `{config.command}`
- **Data**: {config.data}, licence {config.licence}.
- **Use**: `python -m cfg_core sample --checkpoint FOLDER`, or `python app.py --checkpoint FOLDER`.
"""


def with_figures_section(card: str, curve: str) -> str:
    """The card with a place for the figures of a curve file, by its name without ending, unless it has one
    (cfg_core.evaluation.documents)."""
    if "<!-- figures: " in card:
        return card
    asked = f"{curve}; metrics = fid, inception, precision, recall, p_correct; intervals = fid"
    return f"{card.rstrip()}\n\n## Figures\n\n<!-- figures: {asked} -->\n<!-- end of figures -->\n"


def with_real_pictures(card: str, about: Mapping[str, Any]) -> str:
    """The card with the sheet of training pictures, unless it has it. about: the sheet's data, licence and columns."""
    if f"({REAL})" in card:
        return card
    told = f"{about['columns']} training pictures of each class. Data: {about['data']}, licence {about['licence']}."
    return f"{card.rstrip()}\n\n## Real pictures\n\n![{told}]({REAL})\n\n{told}\n"
