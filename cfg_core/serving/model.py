"""A model as it is served: its weights, and what comes with them."""

from dataclasses import dataclass

from cfg_core.checkpoints.format import LoadedModel
from cfg_core.data.class_sheet import ClassSheet
from cfg_core.evaluation.meters import Measure
from cfg_core.serving.grid_job import Frame


@dataclass(frozen=True)
class Model:
    """checkpoint: the denoiser that draws. precomputed: finished grids that strips may show at once. measure: meters of
    finished grids. real: pictures that it was trained on. remote: whether a remote GPU draws its grids, which are then
    delivered, instead of the worker."""

    checkpoint: LoadedModel
    precomputed: tuple[Frame, ...] = ()
    measure: Measure | None = None
    real: ClassSheet | None = None
    remote: bool = False
