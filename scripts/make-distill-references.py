"""Writes test/evaluate/distill/references.json: what numpy, scipy and scikit-learn give for rows of logits.

pip install numpy scipy scikit-learn, then: python scripts/make-distill-references.py
Nothing here shares a formula with src/evaluate/distill but the definitions in the documentation.
"""

import json
import os
import warnings

import numpy as np
from scipy import optimize, stats
from scipy.spatial.distance import jensenshannon
from scipy.special import log_softmax, logsumexp, rel_entr, softmax
from sklearn import metrics

warnings.filterwarnings("ignore")
BINS = 15
TEMPERATURES = [1.0, 0.5, 4.0, 20.0, 1000.0]


def kl_rows(zt, zs, t):
    lt, ls = log_softmax(zt / t, axis=1), log_softmax(zs / t, axis=1)
    pt = np.exp(lt)
    with np.errstate(invalid="ignore"):
        return np.where(pt > 0, pt * (lt - ls), 0.0).sum(axis=1)


def pearson(a, b):
    a, b = a - a.mean(), b - b.mean()
    d = np.sqrt((a * a).sum() * (b * b).sum())
    return 0.0 if d < 1e-300 else (a * b).sum() / d


def edges_ece(confidence, correct, bins=BINS):
    index = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    ece, mce = 0.0, 0.0
    for b in range(bins):
        chosen = index == b
        if not chosen.any():
            continue
        gap = abs(correct[chosen].mean() - confidence[chosen].mean())
        ece += chosen.mean() * gap
        mce = max(mce, gap)
    return ece, mce


def equal_mass_ece(confidence, correct, bins=BINS):
    order = np.lexsort((correct, confidence))
    total = 0.0
    for part in np.array_split(order, min(bins, len(order))):
        total += len(part) * abs(correct[part].mean() - confidence[part].mean())
    return total / len(order)


def classwise_ece(p, y, bins=BINS):
    n, c = p.shape
    total = 0.0
    for k in range(c):
        index = np.clip(np.ceil(p[:, k] * bins).astype(int) - 1, 0, bins - 1)
        for b in range(bins):
            chosen = index == b
            if chosen.any():
                total += chosen.mean() * abs((y[chosen] == k).mean() - p[chosen, k].mean())
    return total / c


def first_best(z):
    return np.argmax(z, axis=1)


def rank_of_label(z, y):
    order = np.argsort(-z, axis=1, kind="stable")
    return np.array([list(order[i]).index(y[i]) for i in range(len(y))])


def decoupled(zt, zs, y, t):
    target, others = [], []
    for a, b, label in zip(zt / t, zs / t, y):
        rest = np.arange(len(a)) != label
        la, lb = logsumexp(a), logsumexp(b)
        if rest.sum() == 0:
            target.append(0.0)
            others.append(0.0)
            continue
        logs_a = np.array([a[label] - la, logsumexp(a[rest]) - la])
        logs_b = np.array([b[label] - lb, logsumexp(b[rest]) - lb])
        pa = np.exp(logs_a)
        target.append(sum(p * (x - w) for p, x, w in zip(pa, logs_a, logs_b) if p > 0))
        ra, rb = log_softmax(a[rest]), log_softmax(b[rest])
        others.append(sum(np.exp(x) * (x - w) for x, w in zip(ra, rb) if np.exp(x) > 0))
    return float(np.mean(target)), float(np.mean(others))


def fitted(z, y):
    def loss(log_scale):
        return -np.mean(log_softmax(z * np.exp(log_scale), axis=1)[np.arange(len(y)), y])

    def slope(log_scale):
        p = softmax(z * np.exp(log_scale), axis=1)
        return np.mean((p * z).sum(axis=1) - z[np.arange(len(y)), y])

    found = optimize.brentq(slope, np.log(0.01), np.log(100), xtol=1e-14, rtol=1e-14)
    scale = float(np.exp(found))
    p = softmax(z * scale, axis=1)
    ece = edges_ece(p.max(axis=1), first_best(z) == y)[0]
    return {"temperature": 1 / scale, "nll": float(loss(found)), "ece": float(ece)}


def quality(z, y, k):
    logs = log_softmax(z, axis=1)
    p = np.exp(logs)
    predicted = first_best(z)
    correct = (predicted == y).astype(float)
    onehot = np.eye(z.shape[1])[y]
    ece, mce = edges_ece(p.max(axis=1), correct)
    return {
        "top1": float(metrics.accuracy_score(y, predicted)),
        "topK": float((rank_of_label(z, y) < k).mean()),
        "macroF1": float(metrics.f1_score(y, predicted, average="macro", zero_division=0)),
        "microF1": float(metrics.f1_score(y, predicted, average="micro", zero_division=0)),
        "weightedF1": float(metrics.f1_score(y, predicted, average="weighted", zero_division=0)),
        "nll": float(-logs[np.arange(len(y)), y].mean()),
        "brier": float(((p - onehot) ** 2).sum(axis=1).mean()),
        "ece": float(ece),
        "mce": float(mce),
        "equalMassEce": float(equal_mass_ece(p.max(axis=1), correct)),
        "classwiseEce": float(classwise_ece(p, y)),
    }


def case(name, zt, zs, y=None, k=5, fit=False):
    zt, zs = np.asarray(zt, dtype=float), np.asarray(zs, dtype=float)
    n, c = zt.shape
    k = min(k, c)
    out = {"name": name, "rows": n, "classes": c, "topK": k}
    out["teacher"] = [encode(v) for v in zt.ravel()]
    out["student"] = [encode(v) for v in zs.ravel()]
    tops = [np.argsort(-z, axis=1, kind="stable")[:, :k] for z in (zt, zs)]
    pt, ps = softmax(zt, axis=1), softmax(zs, axis=1)
    both = np.isneginf(zt) & np.isneginf(zs)
    with np.errstate(invalid="ignore"):
        difference = np.where(both, 0.0, zt - zs)
    ranks = [stats.spearmanr(a, b).statistic for a, b in zip(zt, zs)] if c > 1 else [np.nan]
    expected = {
        "agreement": float((first_best(zt) == first_best(zs)).mean()),
        "overlap": float(np.mean([len(set(a) & set(b)) / k for a, b in zip(*tops)])),
        "kappa": float(metrics.cohen_kappa_score(first_best(zt), first_best(zs)))
        if len(set(first_best(zt)) | set(first_best(zs))) > 1
        else 1.0,
        "jensenShannon": float(np.mean([jensenshannon(a, b) ** 2 for a, b in zip(pt, ps)])),
        "totalVariation": float(0.5 * np.abs(pt - ps).sum(axis=1).mean()),
        "logitMse": encode(float(np.mean((difference**2).sum(axis=1) / (c - both.sum(axis=1))))),
        "rankCorrelation": encode(float(np.mean(ranks))),
        "temperatures": [],
    }
    if not both.any() and np.isfinite(zt).all() and np.isfinite(zs).all():
        def standard(z):
            s = z.std(axis=1, keepdims=True)
            return np.where(s > 0, (z - z.mean(axis=1, keepdims=True)) / np.where(s > 0, s, 1), 0)
        expected["standardizedLogitMse"] = float(np.mean((standard(zt) - standard(zs)) ** 2))
    for t in TEMPERATURES:
        kl, reverse = kl_rows(zt, zs, t), kl_rows(zs, zt, t)
        a, b = softmax(zt / t, axis=1), softmax(zs / t, axis=1)
        row = {
            "temperature": t,
            "kl": encode(float(kl.mean())),
            "reverseKl": encode(float(reverse.mean())),
            # scipy's own divergence of probabilities, where none of them is too small for it.
            **({"relEntr": float(rel_entr(a, b).sum(axis=1).mean())} if np.isfinite(rel_entr(a, b)).all() else {}),
            "teacherEntropy": float(np.mean([stats.entropy(p) for p in a])),
            "distInter": float(1 - np.mean([pearson(p, q) for p, q in zip(a, b)])),
        }
        if n > 1:
            row["distIntra"] = float(1 - np.mean([pearson(a[:, j], b[:, j]) for j in range(c)]))
        if y is not None:
            target, others = decoupled(zt, zs, y, t)
            row["dkdTarget"], row["dkdOthers"] = encode(target), encode(others)
        expected["temperatures"].append(row)
    if y is not None:
        y = np.asarray(y)
        out["labels"] = [int(v) for v in y]
        right_t, right_s = first_best(zt) == y, first_best(zs) == y
        lost, gained = int((right_t & ~right_s).sum()), int((~right_t & right_s).sum())
        p = stats.binomtest(min(lost, gained), lost + gained, 0.5).pvalue if lost + gained else 1.0
        expected["labelled"] = {
            "lost": lost,
            "gained": gained,
            "mcnemarP": float(p),
            "teacher": quality(zt, y, k),
            "student": quality(zs, y, k),
        }
        if fit:
            expected["labelled"]["teacher"]["fitted"] = fitted(zt, y)
            expected["labelled"]["student"]["fitted"] = fitted(zs, y)
    out["expected"] = expected
    return out


def encode(value):
    """JSON has no infinities."""
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float(value)


def linear_cka(x, y):
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    return float((np.linalg.norm(x.T @ y) ** 2) / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)))


def debiased_cka(x, y):
    def hsic(k, l):
        n = len(k)
        k, l = k - np.diag(np.diag(k)), l - np.diag(np.diag(l))
        one = np.ones(n)
        return (
            np.trace(k @ l)
            + (one @ k @ one) * (one @ l @ one) / ((n - 1) * (n - 2))
            - 2 / (n - 2) * (one @ k @ l @ one)
        ) / (n * (n - 3))

    k, l = x @ x.T, y @ y.T
    return float(hsic(k, l) / np.sqrt(hsic(k, k) * hsic(l, l)))


def relational(x, y):
    """RKD as its authors' code has it: distances by their mean over pairs apart, smooth L1 over all pairs; angles alike."""
    def distances(z):
        d = np.sqrt(np.maximum(((z[:, None] - z[None]) ** 2).sum(axis=2), 0))
        return d / d[d > 0].mean()

    def angles(z):
        e = z[None] - z[:, None]
        norm = np.linalg.norm(e, axis=2, keepdims=True)
        e = np.where(norm > 0, e / np.where(norm > 0, norm, 1), 0)
        return np.einsum("ijk,ilk->ijl", e, e)

    def huber(a, b):
        d = np.abs(a - b)
        return float(np.where(d < 1, 0.5 * d * d, d - 0.5).mean())

    return huber(distances(x), distances(y)), huber(angles(x), angles(y))


def similarity_preserving(x, y):
    def rows(z):
        g = z @ z.T
        norm = np.linalg.norm(g, axis=1, keepdims=True)
        return g / np.where(norm > 0, norm, 1)

    return float(((rows(x) - rows(y)) ** 2).sum() / len(x) ** 2)


def features(name, t, s):
    t, s = np.asarray(t, dtype=float), np.asarray(s, dtype=float)
    x, y = t.reshape(len(t), -1), s.reshape(len(s), -1)
    expected = {"cka": linear_cka(x, y)}
    if len(x) > 3:
        expected["debiasedCka"] = debiased_cka(x, y)
    expected["rkdDistance"], expected["rkdAngle"] = relational(x, y)
    expected["similarityPreserving"] = similarity_preserving(x, y)
    if x.shape == y.shape:
        expected["mse"] = float(((x - y) ** 2).mean())
        expected["normalizedMse"] = float((((x - y) ** 2).sum(axis=1) / (x**2).sum(axis=1)).mean())
        expected["cosineDistance"] = float(
            1 - np.mean([a @ b / (np.linalg.norm(a) * np.linalg.norm(b)) for a, b in zip(x, y)])
        )
        expected["sqnrDb"] = float(10 * np.log10((x**2).sum() / ((x - y) ** 2).sum()))
        unit = lambda z: z / np.linalg.norm(z, axis=1, keepdims=True)
        expected["unitMse"] = float(((unit(x) - unit(y)) ** 2).sum(axis=1).mean())
    if t.ndim == 4 and t.shape[2:] == s.shape[2:]:
        maps = [(z**2).mean(axis=1).reshape(len(z), -1) for z in (t, s)]
        unit = [m / np.linalg.norm(m, axis=1, keepdims=True) for m in maps]
        expected["attentionTransferCode"] = float(((unit[0] - unit[1]) ** 2).mean())
        expected["attentionTransferPaper"] = float(np.linalg.norm(unit[0] - unit[1], axis=1).mean())
    return {
        "name": name,
        "teacherDims": list(t.shape),
        "studentDims": list(s.shape),
        "teacher": t.ravel().tolist(),
        "student": s.ravel().tolist(),
        "expected": expected,
    }


def main():
    rng = np.random.default_rng(7)
    short = lambda values: np.round(values * 128) / 128
    noise = lambda like, scale: short(scale * rng.normal(size=like.shape))
    cases = []
    z = short(rng.normal(size=(60, 10)) * 3)
    cases.append(case("ten classes", z, z + noise(z, 1), first_best(z + noise(z, 3)), fit=True))
    z = short(rng.normal(size=(33, 7)) * 2)
    cases.append(case("an odd number of classes", z, 0.5 * z + noise(z, 1), first_best(z + noise(z, 1)), k=3, fit=True))
    z = rng.normal(size=(40, 3))
    cases.append(case("students close to the teacher", z, z + 1e-5 * rng.normal(size=z.shape), rng.integers(0, 3, 40)))
    z = rng.choice([-1e4, -1.0, 0.0, 1e4], size=(25, 6))
    cases.append(case("scores of ten thousand", z, rng.choice([-1e4, 0.0, 5e3, 1e4], size=(25, 6)), rng.integers(0, 6, 25), k=2))
    z = rng.integers(-2, 3, size=(50, 8)).astype(float)
    cases.append(case("ties", z, rng.integers(-2, 3, size=(50, 8)).astype(float), rng.integers(0, 8, 50)))
    z = rng.normal(size=(20, 6)) * 2
    s = z + rng.normal(size=z.shape)
    z[:, 4] = s[:, 4] = -np.inf
    cases.append(case("a class that both mask", z, s, rng.integers(0, 4, 20), k=3))
    z, s = rng.normal(size=(10, 5)), rng.normal(size=(10, 5))
    s[3, 2] = -np.inf
    cases.append(case("a class that the student alone masks", z, s, k=2))
    cases.append(case("one sample", rng.normal(size=(1, 5)), rng.normal(size=(1, 5)), [2], k=2))
    cases.append(case("one class", rng.normal(size=(4, 1)), rng.normal(size=(4, 1)), [0, 0, 0, 0]))
    z = short(rng.normal(size=(120, 101)) * 4)
    cases.append(case("a hundred classes", z, z + noise(z, 2), first_best(z + noise(z, 3)), fit=True))
    pairs = []
    t = rng.normal(size=(24, 6))
    pairs.append(features("vectors", t, t + 0.3 * rng.normal(size=t.shape)))
    pairs.append(features("unequal widths", t, t @ rng.normal(size=(6, 9))))
    t = rng.normal(size=(8, 3, 4, 4))
    pairs.append(features("maps", t, t + 0.2 * rng.normal(size=t.shape)))
    pairs.append(features("maps of unequal channels", t, rng.normal(size=(8, 5, 4, 4))))
    target = os.path.join(os.path.dirname(__file__), "../test/evaluate/distill/references.json")
    with open(target, "w") as file:
        json.dump({"bins": BINS, "cases": cases, "features": pairs}, file)
        file.write("\n")


if __name__ == "__main__":
    main()
