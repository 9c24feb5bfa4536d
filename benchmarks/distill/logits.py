"""The figures of `serve-opt distill --teacher-logits … --student-logits …` with numpy and scipy, in chunks of rows.

Usage: logits.py FOLDER TEMPERATURE…: prints one JSON object with figures, seconds and peak memory.
"""

import json
import resource
import sys
import time

import numpy as np
from scipy import optimize
from scipy.special import log_softmax
from scipy.stats import rankdata

BINS = 15
CHUNK = 2000
TOP = 5


def ece(confidence, correct):
    index = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    total = 0.0
    for b in range(BINS):
        chosen = index == b
        if chosen.any():
            total += chosen.mean() * abs(correct[chosen].mean() - confidence[chosen].mean())
    return total


def fitted(path, labels):
    """Halley's method on 1/T from the temperature of the first rows, all rows a step, as the command does: its last step, which
    leaves an error of its cube, needs no other look at the scores."""

    def derivatives(scale, rows):
        scores = np.load(path, mmap_mode="r")
        sums = np.zeros(4)
        for start in range(0, rows, CHUNK):
            z = np.asarray(scores[start : min(start + CHUNK, rows)], dtype=np.float64)
            y = labels[start : start + len(z)]
            at = np.arange(len(z))
            logs = log_softmax(z * scale, axis=1)
            p = np.exp(logs)
            mean = (p * z).sum(axis=1)
            d = z - mean[:, None]
            pdd = p * d * d
            sums += (-logs[at, y].sum(), (mean - z[at, y]).sum(), pdd.sum(), (pdd * d).sum())
        return sums / rows

    scale = 1.0
    for rows in (min(8192, len(labels)), len(labels)):
        for _ in range(30):
            loss, slope, curvature, third = derivatives(scale, rows)
            step = -slope / curvature / (1 - slope * third / (2 * curvature**2))
            scale += step
            if abs(step) <= 1e-6 * scale:
                break
    return 1 / scale, loss + step * (slope + step * (curvature / 2 + step * third / 6))


def main():
    folder, temperatures = sys.argv[1], [1.0] + [float(t) for t in sys.argv[2:] if float(t) != 1]
    teacher = np.load(f"{folder}/teacher.npy", mmap_mode="r")
    student = np.load(f"{folder}/student.npy", mmap_mode="r")
    labels = np.load(f"{folder}/labels.npy")
    begun = time.perf_counter()
    n, c = teacher.shape
    sums = {}
    rows = {name: np.empty(n) for name in ("ct", "cs", "rt", "rs", "same")}
    classwise = {side: np.zeros((3, c, BINS)) for side in "ts"}
    dist = {t: np.zeros((5, c)) for t in temperatures}

    def add(name, values):
        sums[name] = sums.get(name, 0.0) + values.sum()

    for start in range(0, n, CHUNK):
        zt = np.asarray(teacher[start : start + CHUNK], dtype=np.float64)
        zs = np.asarray(student[start : start + CHUNK], dtype=np.float64)
        y = labels[start : start + len(zt)]
        at = np.arange(len(zt))
        part = slice(start, start + len(zt))
        add("logitMse", ((zt - zs) ** 2).mean(axis=1))
        a = zt - zt.mean(axis=1, keepdims=True)
        b = zs - zs.mean(axis=1, keepdims=True)
        r = (a * b).sum(axis=1) / np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
        add("standardizedLogitMse", 2 - 2 * r)
        ra, rb = rankdata(zt, axis=1), rankdata(zs, axis=1)
        ra -= ra.mean(axis=1, keepdims=True)
        rb -= rb.mean(axis=1, keepdims=True)
        add("rankCorrelation", (ra * rb).sum(axis=1) / np.sqrt((ra * ra).sum(axis=1) * (rb * rb).sum(axis=1)))
        top_t = np.argpartition(-zt, TOP, axis=1)[:, :TOP]
        top_s = np.argpartition(-zs, TOP, axis=1)[:, :TOP]
        add("overlap", (top_t[:, :, None] == top_s[:, None, :]).any(axis=2).sum(axis=1) / TOP)
        bt, bs = zt.argmax(axis=1), zs.argmax(axis=1)
        rows["rt"][part], rows["rs"][part], rows["same"][part] = bt == y, bs == y, bt == bs
        for side, z in (("T", zt), ("S", zs)):
            add(f"topK{side}", ((z > z[at, y][:, None]).sum(axis=1) < TOP).astype(float))
        for t in temperatures:
            lt, ls = log_softmax(zt / t, axis=1), log_softmax(zs / t, axis=1)
            pt, ps = np.exp(lt), np.exp(ls)
            add(f"kl{t}", (pt * (lt - ls)).sum(axis=1))
            add(f"reverse{t}", (ps * (ls - lt)).sum(axis=1))
            add(f"entropy{t}", -(pt * lt).sum(axis=1))
            ca, cb = pt - 1 / c, ps - 1 / c
            add(f"inter{t}", (ca * cb).sum(axis=1) / np.sqrt((ca * ca).sum(axis=1) * (cb * cb).sum(axis=1)))
            for i, v in enumerate((ca, cb, ca * ca, cb * cb, ca * cb)):
                dist[t][i] += v.sum(axis=0)
            pty, psy = pt[at, y], ps[at, y]
            target = pty * np.log(pty / psy) + (1 - pty) * np.log((1 - pty) / (1 - psy))
            add(f"target{t}", target)
            add(f"others{t}", ((pt * (lt - ls)).sum(axis=1) - target) / (1 - pty))
            if t != 1:
                continue
            m = (pt + ps) / 2
            lm = np.log(m)
            add("jensenShannon", 0.5 * ((pt * (lt - lm)).sum(axis=1) + (ps * (ls - lm)).sum(axis=1)))
            add("totalVariation", 0.5 * np.abs(pt - ps).sum(axis=1))
            for side, name, p, logs in (("t", "T", pt, lt), ("s", "S", ps, ls)):
                add(f"nll{name}", -logs[at, y])
                add(f"brier{name}", (p * p).sum(axis=1) - 2 * p[at, y] + 1)
                rows[f"c{side}"][part] = p.max(axis=1)
                index = np.clip(np.ceil(p * BINS).astype(np.int64) - 1, 0, BINS - 1)
                flat = (np.arange(c) * BINS + index).ravel()
                classwise[side][0] += np.bincount(flat, minlength=c * BINS).reshape(c, BINS)
                classwise[side][1] += np.bincount(flat, weights=p.ravel(), minlength=c * BINS).reshape(c, BINS)
                np.add.at(classwise[side][2], (y, index[at, y]), 1)
    figures = {name: value / n for name, value in sums.items()}
    for t, (a, b, aa, bb, ab) in dist.items():
        figures[f"intra{t}"] = float(np.mean((ab - a * b / n) / np.sqrt((aa - a * a / n) * (bb - b * b / n))))
    for side, name in (("t", "T"), ("s", "S")):
        figures[f"top1{name}"] = rows[f"r{side}"].mean()
        figures[f"ece{name}"] = ece(rows[f"c{side}"], rows[f"r{side}"])
        _, confidence, correct = classwise[side]
        figures[f"classwise{name}"] = np.abs(correct - confidence).sum() / (c * n)
    figures["agreement"] = rows["same"].mean()
    for name, path in (("T", "teacher"), ("S", "student")):
        figures[f"temperature{name}"], figures[f"fittedNll{name}"] = fitted(f"{folder}/{path}.npy", labels)
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"figures": {k: float(v) for k, v in figures.items()}, "seconds": seconds, "peakBytes": peak}))


if __name__ == "__main__":
    main()
