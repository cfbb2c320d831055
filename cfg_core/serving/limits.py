"""The limits that keep the service's memory and time bounded for any requests."""

from dataclasses import dataclass

from cfg_core.checks import number
from cfg_core.grids.request import MAX_PICTURES, STEPS_RANGE, GridRequest
from cfg_core.serving.grid_job import BLOCK


@dataclass(frozen=True)
class Limits:
    """The limits. Raises ValueError for a number out of range.

    sessions: served at once. queue: sessions that may wait for one of these places. per_address: sessions of one client
    address, such as those of a class behind one router; fewer than are served at once, so that others are served too.
    pictures, steps: of one grid. work: of one grid, its pictures × its evaluations. api_work: the same, of a call of
    the API. cache: megabytes of finished grids. samples: of one evaluation.
    """

    sessions: int = 64
    queue: int = 256
    per_address: int = 48
    pictures: int = 640
    steps: int = STEPS_RANGE[1]
    work: int = 2**16
    api_work: int = 2**14
    cache: int = 256
    samples: int = 64

    def __post_init__(self) -> None:
        number("sessions", self.sessions, 1, 10_000, whole=True)
        number("queue", self.queue, 0, 10_000, whole=True)
        number("per_address", self.per_address, 1, 20_000, whole=True)
        number("pictures", self.pictures, GridRequest.samples, MAX_PICTURES, whole=True)
        number("steps", self.steps, GridRequest.steps, STEPS_RANGE[1], whole=True)
        number("work", self.work, GridRequest.samples * GridRequest.steps, 2**23, whole=True)
        number("api_work", self.api_work, GridRequest.samples * GridRequest.steps, 2**23, whole=True)
        number("cache", self.cache, 0, 2**20, whole=True)
        number("samples", self.samples, BLOCK, MAX_PICTURES, whole=True)

    def check(self, request: GridRequest) -> None:
        """Raises ValueError, in one sentence, for a request beyond the limits of one grid."""
        number("classes × w × samples", request.pictures, 1, self.pictures, whole=True)
        number("steps", request.steps, 1, self.steps, whole=True)
        number("pictures × evaluations", request.pictures * request.evaluations, 1, self.work, whole=True)

    def check_api(self, request: GridRequest) -> None:
        """Raises ValueError, in one sentence, for a request beyond the limit of a call of the API."""
        number("pictures × evaluations of a call", request.pictures * request.evaluations, 1, self.api_work, whole=True)
