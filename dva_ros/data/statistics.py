"""Minimum, maximum, mean, deviation and quantiles, in the form LeRobot datasets hold them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

QUANTILES = (0.01, 0.10, 0.50, 0.90, 0.99)
IMAGE_STRIDE = 10
"""Every tenth frame enters the statistics of a camera."""

FeatureStatistics = dict[str, np.ndarray]
"""min, max, mean, std, q01..q99: float64 of the feature's shape; count: int64 [1]."""


def vector_statistics(values: np.ndarray) -> FeatureStatistics:
    """Statistics over the first axis of [T, D]; shape [D]."""
    values = values.astype(np.float64)
    statistics = {
        "min": values.min(axis=0),
        "max": values.max(axis=0),
        "mean": values.mean(axis=0),
        "std": values.std(axis=0),
        "count": np.array([len(values)]),
    }
    for fraction, quantile in zip(QUANTILES, np.quantile(values, QUANTILES, axis=0), strict=True):
        statistics[f"q{round(fraction * 100):02d}"] = quantile
    return statistics


def image_statistics(images: np.ndarray) -> FeatureStatistics:
    """Statistics of each colour over uint8 [T, h, w, 3], scaled to 0..1; shape [3, 1, 1]."""
    return sample_statistics(images[::IMAGE_STRIDE])


def sample_statistics(sample: np.ndarray) -> FeatureStatistics:
    """As `image_statistics`, over all of the pictures given."""
    statistics = vector_statistics(sample.reshape(-1, 3) / 255.0)
    return {
        name: np.array([len(sample)]) if name == "count" else value.reshape(3, 1, 1)
        for name, value in statistics.items()
    }


def aggregate(parts: Sequence[FeatureStatistics]) -> FeatureStatistics:
    """Statistics of the union; quantiles are averaged by count, as LeRobot does."""
    counts = np.array([part["count"][0] for part in parts])
    weights = (counts / counts.sum()).reshape(-1, *[1] * parts[0]["mean"].ndim)
    means = np.stack([part["mean"] for part in parts])
    mean = (weights * means).sum(axis=0)
    variances = np.stack([part["std"] ** 2 for part in parts]) + (means - mean) ** 2
    result = {
        "min": np.min([part["min"] for part in parts], axis=0),
        "max": np.max([part["max"] for part in parts], axis=0),
        "mean": mean,
        "std": np.sqrt((weights * variances).sum(axis=0)),
        "count": np.array([counts.sum()]),
    }
    for name in parts[0]:
        if name not in result:
            result[name] = (weights * np.stack([part[name] for part in parts])).sum(axis=0)
    return result
