"""Inception Score: how sure a classifier is of each sample, and how evenly the samples fill its classes."""

import numpy as np
from numpy.typing import ArrayLike

from cfg_core.evaluation.bootstrap import Counts, entropy, weighted_mean


def inception_score(probabilities: ArrayLike, counts: Counts | None = None) -> float:
    """exp E KL(p(y|x) ‖ p(y)) (Salimans et al., arXiv 1606.03498) of class probabilities (N, K); from 1 to K.

    Over all samples at once: the mean over splits that is often quoted is lower by the bias of the smaller sets. Raises
    ValueError for rows that are no probabilities.
    """
    rows = np.asarray(probabilities, dtype=np.float64)
    if rows.ndim != 2 or not np.all(rows >= 0) or not np.allclose(rows.sum(1), 1, atol=1e-4):
        raise ValueError(f"probabilities must be rows (N, K) that sum to 1, got the shape {rows.shape}")
    return float(np.exp(entropy(np.average(rows, axis=0, weights=counts)) - weighted_mean(entropy(rows), counts)))
