#!/usr/bin/env python3
"""Makes test/quantize/observers/references.json: ranges of straightforward calibrators on histograms of 2,048 bins of their own.

    python scripts/make-observer-references.py

needs numpy. The values are made by a formula that test/quantize/observers/references.test.ts repeats, so that none are stored. Percentile is
that of ONNX Runtime's calibrator (bins of magnitudes for symmetric ranges, of values for others, 99.999 %), entropy the search over symmetric
windows with the Kullback-Leibler divergence, window by window and bin by bin.
"""
import json
from pathlib import Path

import numpy as np

BINS, LEVELS, PERCENTILE, FLOOR = 2048, 128, 99.999, 1e-10
COUNT = 200_000


def uniform(seed):
    state = np.uint32(seed)
    out = np.empty(COUNT, np.float64)
    s = int(state)
    for i in range(COUNT):
        s = (s * 1664525 + 1013904223) % 2**32
        out[i] = s / 2**32
    return out


def cases():
    u, v, w = uniform(1), uniform(2), uniform(3)
    bell = (u + v + w - 1.5) * 2
    return {
        "bell": bell.astype(np.float32),
        "rectified": np.maximum(bell, 0).astype(np.float32),
        "outliers": (bell * np.where(u < 0.0005, 8, 1)).astype(np.float32),
        "flat": (u * 4 - 1).astype(np.float32),
    }


def percentile(x, symmetric):
    if symmetric:
        hist, edges = np.histogram(np.abs(x), bins=BINS)
        cdf = np.cumsum(hist) / hist.sum()
        high = edges[np.searchsorted(cdf, PERCENTILE / 100)]
        low = -high
    else:
        hist, edges = np.histogram(x, bins=BINS)
        cdf = np.cumsum(hist) / hist.sum()
        cut = (100 - PERCENTILE) / 200
        low, high = edges[np.searchsorted(cdf, cut)], edges[np.searchsorted(cdf, 1 - cut)]
    return [max(float(low), float(x.min())), min(float(high), float(x.max()))]


def entropy(x):
    largest = float(np.abs(x).max())
    hist, _ = np.histogram(x, bins=BINS, range=(-largest, largest))
    half = BINS // 2
    best, least = half, np.inf
    for width in range(LEVELS // 2, half + 1):
        inside = hist[half - width : half + width].astype(np.float64)
        p = inside.copy()
        p[0] += hist[: half - width].sum()
        p[-1] += hist[half + width :].sum()
        q = np.zeros_like(p)
        per_level = len(p) // LEVELS
        for level in range(LEVELS):
            start = level * per_level
            end = len(p) if level == LEVELS - 1 else start + per_level
            used = p[start:end] > 0
            if used.any():
                q[start:end][used] = inside[start:end].sum() / used.sum()
        if inside.sum() == 0:
            continue
        p, q = p / p.sum(), np.maximum(q / inside.sum(), FLOOR)
        mask = p > 0
        divergence = float(np.sum(p[mask] * np.log(p[mask] / q[mask])))
        if divergence < least:
            best, least = width, divergence
    threshold = largest * best / half
    return [max(-threshold, float(x.min())), min(threshold, float(x.max()))]


def main():
    result = {
        name: {"percentile": percentile(x, False), "symmetricPercentile": percentile(x, True), "entropy": entropy(x)}
        for name, x in cases().items()
    }
    path = Path(__file__).parent.parent / "test" / "quantize" / "observers" / "references.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(path)


main()
