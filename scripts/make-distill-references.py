"""Writes test/evaluate/distill/references.json: what numpy, scipy and scikit-learn give for rows of logits.

pip install numpy scipy scikit-learn, then: python scripts/make-distill-references.py
Nothing here shares a formula with src/evaluate/distill but the definitions in the documentation.
"""

import itertools
import json
import os
import warnings

import numpy as np
from scipy import optimize, stats
from scipy.spatial.distance import jensenshannon
from scipy.special import expit, log_expit, log_softmax, logsumexp, rel_entr, softmax
from sklearn import metrics
from sklearn.linear_model import Ridge

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


def attention(name, t, s, mask):
    """Maps [samples, heads, queries, keys] of probabilities; of unequal heads the mean over heads."""
    if t.shape[1] != s.shape[1]:
        t, s = t.mean(axis=1, keepdims=True), s.mean(axis=1, keepdims=True)
    squared, divergences = [], []
    for a, b, counts in zip(t, s, mask.astype(bool)):
        for x, y in zip(a, b):
            x, y = x[np.ix_(counts, counts)], y[np.ix_(counts, counts)]
            squared.extend(((x - y) ** 2).ravel())
            divergences.extend(stats.entropy(x, y, axis=1))
    return {"mse": float(np.mean(squared)), "kl": encode(float(np.mean(divergences)))}


def attention_case(rng, name, heads_t, heads_s):
    t = softmax(rng.normal(size=(5, heads_t, 4, 4)), axis=3)
    s = softmax(rng.normal(size=(5, heads_s, 4, 4)), axis=3)
    mask = np.array([[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1]])
    return {
        "name": name,
        "heads": [heads_t, heads_s],
        "teacher": t.ravel().tolist(),
        "student": s.ravel().tolist(),
        "mask": mask.ravel().tolist(),
        "expected": attention(name, t, s, mask),
    }


def kl_div(log_input, target, reduction):
    """torch.nn.functional.kl_div: pointwise target · (ln target - input), then the reduction by its name."""
    terms = np.where(target > 0, target * (np.log(np.where(target > 0, target, 1)) - log_input), 0.0)
    n = len(terms)
    return {"none": terms, "sum": terms.sum(), "mean": terms.mean(), "batchmean": terms.sum() / n}[reduction]


def convention_losses(zt, zs, y, t, alpha):
    """The losses as the code of each library writes them, on logits [samples, (tokens,) classes]."""
    c = zt.shape[-1]
    log_s, p_t = log_softmax(zs / t, axis=-1), softmax(zt / t, axis=-1)
    flat = lambda z: z.reshape(-1, c)
    ce = None if y is None else float(metrics.log_loss(y, softmax(flat(zs), axis=1), labels=np.arange(c)))
    hard = 0.0 if ce is None else ce
    rows = zt.size / c

    def mix(weight, soft):
        return soft if ce is None else (1 - weight) * hard + weight * soft

    batchmean = kl_div(log_s, p_t, "batchmean")
    soft_only = ce is None or alpha == 0
    mean_rows = kl_div(flat(log_s), flat(p_t), "batchmean") * t * t
    by_elements = kl_div(log_s, p_t, "sum") * t * t / log_s.size
    soft = {
        "standard": mean_rows,
        "torchdistill": batchmean if soft_only else batchmean * t * t,
        "textbrewer": -(p_t * log_s).sum(axis=-1).mean(),
        "deit": by_elements,
        "sparseml": kl_div(log_s, p_t, "sum") * t * t / (log_s.size / c),
        "sparseml-factory": float((p_t * np.log(p_t / np.exp(log_s))).sum() / rows),
        "haitongli": kl_div(log_s, p_t, "mean") * t * t,
        "mmdet-ld": kl_div(flat(log_s), flat(p_t), "none").mean(axis=1).mean() * t * t,
    }
    weight_of_soft = {
        **{name: alpha for name in ("deit", "sparseml", "sparseml-factory", "haitongli", "mmdet-ld")},
        **{name: 1 - alpha for name in ("standard", "torchdistill", "textbrewer")},
    }
    return {
        name: {
            "soft": float(value),
            "total": float(value if name == "torchdistill" and soft_only else mix(weight_of_soft[name], value)),
            "softFactor": float(value / soft["standard"]),
        }
        for name, value in soft.items()
    }


def convention_case(rng, name, shape, labelled, t, alpha):
    zt, zs = rng.normal(size=shape) * 2, rng.normal(size=shape) * 2
    y = rng.integers(0, shape[-1], size=int(np.prod(shape[:-1]))) if labelled else None
    return {
        "name": name,
        "shape": list(shape),
        "temperature": t,
        "alpha": alpha,
        "teacher": zt.ravel().tolist(),
        "student": zs.ravel().tolist(),
        **({} if y is None else {"labels": y.tolist()}),
        "expected": convention_losses(zt, zs, y, t, alpha),
    }


def edits(a, b):
    """The fewest edits, by all ways to split the first pair of symbols (Levenshtein)."""
    from functools import lru_cache

    @lru_cache(None)
    def of(i, j):
        if i == len(a) or j == len(b):
            return len(a) - i + len(b) - j
        if a[i] == b[j]:
            return of(i + 1, j + 1)
        return 1 + min(of(i + 1, j), of(i, j + 1), of(i + 1, j + 1))

    return of(0, 0)


def ratio(a, b):
    return encode(a / b if b else np.nan if a == 0 else np.inf)


def collapse(path, blank):
    return tuple(symbol for symbol, _ in itertools.groupby(path) if symbol != blank)


def path_loss(logits, label, blank):
    """-ln of the summed probability of every path that collapses to the label: all of them are tried."""
    logs = log_softmax(logits, axis=1)
    found = [
        sum(logs[step, symbol] for step, symbol in enumerate(path))
        for path in itertools.product(range(logits.shape[1]), repeat=len(logits))
        if collapse(path, blank) == tuple(label)
    ]
    return float(-logsumexp(found)) if found else float("inf")


def ctc_case(rng, name, n, steps, classes, blank, labels):
    zt = rng.normal(size=(n, steps, classes)) * 2
    zs = zt + rng.normal(size=zt.shape)
    texts = [[collapse(row.argmax(axis=1), blank) for row in z] for z in (zt, zs)]
    pairs = list(zip(*texts))
    between = [edits(a, b) for a, b in pairs]
    right = [[text == tuple(label) for text, label in zip(each, labels)] for each in texts]
    symbols = sum(len(label) for label in labels)

    def side(z, which):
        return {
            "exact": float(np.mean(right[which])),
            "errorRate": ratio(sum(edits(a, tuple(b)) for a, b in zip(texts[which], labels)), symbols),
            "ctcLoss": encode(float(np.mean([path_loss(row, label, blank) for row, label in zip(z, labels)]))),
        }

    return {
        "name": name,
        "dims": [n, steps, classes],
        "blank": blank,
        "labels": [list(map(int, label)) for label in labels],
        "teacher": zt.ravel().tolist(),
        "student": zs.ravel().tolist(),
        "expected": {
            "agreement": float(np.mean([a == b for a, b in pairs])),
            "editRate": ratio(sum(between), sum(len(a) for a, _ in pairs)),
            "teacher": side(zt, 0),
            "student": side(zs, 1),
            "lost": int(np.sum(np.array(right[0]) & ~np.array(right[1]))),
            "gained": int(np.sum(~np.array(right[0]) & np.array(right[1]))),
        },
    }


def multi_label_case(name, zt, zs, y):
    """Labels below 0 are not known."""
    n, width = zt.shape
    known = y >= 0
    expected = {
        "agreement": float(((zt >= 0) == (zs >= 0)).mean()),
        "exactAgreement": float(((zt >= 0) == (zs >= 0)).all(axis=1).mean()),
        "totalVariation": float(np.abs(expit(zt) - expit(zs)).mean()),
        "temperatures": [],
    }
    with np.errstate(invalid="ignore"):
        expected["logitMse"] = encode(float(np.where(zt == zs, 0.0, (zt - zs) ** 2).mean()))

    def divergence(a, b):
        """Of two classes with logits 0 and z."""
        with np.errstate(invalid="ignore", divide="ignore"):
            logs = [(log_expit(a), log_expit(b)), (log_expit(-a), log_expit(-b))]
            return sum(np.where(np.exp(x) > 0, np.exp(x) * (x - w), 0.0) for x, w in logs)

    for t in TEMPERATURES:
        expected["temperatures"].append(
            {
                "temperature": t,
                "kl": encode(float(divergence(zt / t, zs / t).mean())),
                "reverseKl": encode(float(divergence(zs / t, zt / t).mean())),
            }
        )

    def side(z):
        p, said = expit(z), z >= 0
        flat = (y[known], said[known].astype(int))
        with np.errstate(invalid="ignore", divide="ignore"):
            loss = -np.where(y == 1, log_expit(z), log_expit(-z))[known]
        confidence, held = p[known], (y[known] == 1).astype(float)
        index = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
        ece = sum(
            (index == b).mean() * abs(held[index == b].mean() - confidence[index == b].mean())
            for b in range(BINS)
            if (index == b).any()
        )
        columns = [metrics.f1_score(y[known[:, j], j], said[known[:, j], j].astype(int), zero_division=0) for j in range(width)]
        out = {
            "accuracy": float(metrics.accuracy_score(*flat)),
            "microF1": float(metrics.f1_score(*flat)),
            "macroF1": float(np.mean(columns)),
            "bce": encode(float(loss.mean())),
            "brier": float(metrics.brier_score_loss(held, confidence)),
            "ece": float(ece),
        }
        if width == 1:
            out["auc"] = float(metrics.roc_auc_score(y[known], np.where(np.isposinf(z), 1e308, np.where(np.isneginf(z), -1e308, z))[known]))
        return out

    right = [(z >= 0) == (y == 1) for z in (zt, zs)]
    expected["teacher"], expected["student"] = side(zt), side(zs)
    expected["lost"] = int((right[0] & ~right[1] & known).sum())
    expected["gained"] = int((~right[0] & right[1] & known).sum())
    return {
        "name": name,
        "dims": [n, width],
        "labels": y.ravel().tolist(),
        "teacher": [encode(v) for v in zt.ravel()],
        "student": [encode(v) for v in zs.ravel()],
        "expected": expected,
    }


def regression_case(name, t, s, y):
    def errors(wanted, given):
        return {
            "mse": float(metrics.mean_squared_error(wanted, given)),
            "rmse": float(metrics.root_mean_squared_error(wanted, given)),
            "mae": float(metrics.mean_absolute_error(wanted, given)),
            "maxAbs": float(metrics.max_error(wanted, given)),
            "r2": encode(float(metrics.r2_score(wanted, given)) if np.ptp(wanted) > 0 else np.nan),
            "correlation": encode(
                float(stats.pearsonr(wanted, given).statistic) if np.ptp(wanted) > 0 and np.ptp(given) > 0 else np.nan
            ),
        }

    known = ~np.isnan(y)
    return {
        "name": name,
        "dims": list(t.shape),
        "teacher": t.ravel().tolist(),
        "student": s.ravel().tolist(),
        "labels": [encode(v) for v in y.ravel()],
        "expected": {
            "fidelity": errors(t.ravel(), s.ravel()),
            "teacher": errors(y[known], t[known]),
            "student": errors(y[known], s[known]),
        },
    }


def half_of(row):
    """Parity of FNV-1a over the bits of the values as float32, both halves of the hash together."""
    value = 0x811C9DC5
    for word in np.asarray(row, dtype=np.float32).view(np.uint32):
        value = ((value ^ int(word)) * 0x01000193) & 0xFFFFFFFF
    return (value ^ (value >> 16)) & 1


def ridge_case(name, t, s):
    halves = np.array([half_of(row) for row in s])
    fit, judge = halves == 0, halves == 1
    centred = s[fit] - s[fit].mean(axis=0)
    strength = 1e-3 * (centred**2).sum() / s.shape[1]
    model = Ridge(alpha=strength, fit_intercept=True, solver="cholesky").fit(s[fit], t[fit])
    errors = (t[judge] - model.predict(s[judge]).reshape(t[judge].shape)) ** 2
    spread = ((t[judge] - t[judge].mean(axis=0)) ** 2).sum()
    return {
        "name": name,
        "dims": [list(t.shape), list(s.shape)],
        "teacher": t.ravel().tolist(),
        "student": s.ravel().tolist(),
        "expected": {
            "fitted": int(fit.sum()),
            "judged": int(judge.sum()),
            "mse": float(errors.mean()),
            "share": float(errors.sum() / spread),
        },
    }


def fsp_case(rng, name, n, channels, size):
    first, second = channels
    maps = [rng.normal(size=(n, c, size, size)) for c in (first, second, first, second)]
    gram = lambda a, b: np.einsum("nihw,njhw->nij", a, b) / (size * size)
    return {
        "name": name,
        "samples": n,
        "channels": list(channels),
        "places": size * size,
        "maps": [m.ravel().tolist() for m in maps],
        "expected": float(((gram(*maps[:2]) - gram(*maps[2:])) ** 2).mean()),
    }


def top_k_case(name, zt, zs, y, k, top):
    """KL over the k best classes of the teacher and one cell for all others, beside the whole."""
    pt, ps = softmax(zt, axis=1), softmax(zs, axis=1)
    order = np.argsort(-zt, axis=1, kind="stable")[:, :k]
    cells = [np.concatenate([np.take_along_axis(p, order, 1), 1 - np.take_along_axis(p, order, 1).sum(1, keepdims=True)], 1) for p in (pt, ps)]
    best = [np.argsort(-z, axis=1, kind="stable")[:, :top] for z in (zt, zs)]
    right = [b[:, 0] == y for b in best]
    return {
        "name": name,
        "dims": list(zt.shape),
        "k": k,
        "topK": top,
        "labels": y.tolist(),
        "teacher": zt.ravel().tolist(),
        "student": zs.ravel().tolist(),
        "wholeKl": float(kl_rows(zt, zs, 1.0).mean()),
        "wholeTotalVariation": float(0.5 * np.abs(pt - ps).sum(axis=1).mean()),
        "expected": {
            "tailMass": float(cells[0][:, -1].mean()),
            "klLow": float(rel_entr(cells[0], cells[1]).sum(axis=1).mean()),
            "totalVariationLow": float(0.5 * np.abs(cells[0] - cells[1]).sum(axis=1).mean()),
            "agreement": float((best[0][:, 0] == best[1][:, 0]).mean()),
            "overlap": float(np.mean([len(set(a) & set(b)) / top for a, b in zip(*best)])),
            **{
                side: {
                    "top1": float(right[i].mean()),
                    "topK": float(np.mean([label in b for label, b in zip(y, best[i])])),
                    "ece": float(edges_ece(p.max(axis=1), right[i].astype(float))[0]),
                }
                for i, (side, p) in enumerate((("teacher", pt), ("student", ps)))
            },
            "nll": float(-log_softmax(zs, axis=1)[np.arange(len(y)), y].mean()),
        },
    }


def more_kinds(rng):
    labels = lambda rows, width: rng.integers(-1, 2, size=(rows, width))
    zt = rng.normal(size=(30, 5)) * 2
    extreme = rng.choice([-1e4, -1.0, 0.0, 2.0, 1e4], size=(20, 4))
    masked = rng.normal(size=(12, 3))
    masked[:, 1] = -np.inf
    masked[4, 2] = np.inf
    other = masked + np.where(np.isfinite(masked), rng.normal(size=masked.shape), 0)
    alone = rng.normal(size=(6, 2))
    infinite = alone.copy()
    infinite[2, 1] = -np.inf
    values = rng.normal(size=(25, 3))
    partly = values + rng.normal(size=values.shape)
    partly[3, 1] = np.nan
    t = rng.normal(size=(60, 4))
    peaked = rng.normal(size=(40, 30)) * 3
    return {
        "topK": [
            top_k_case("eight of thirty classes", peaked, peaked + rng.normal(size=peaked.shape), rng.integers(0, 30, 40), 8, 5),
            top_k_case("one of two classes", peaked[:, :2], -peaked[:, :2], rng.integers(0, 2, 40), 1, 1),
            top_k_case("one sample", peaked[:1], peaked[1:2], np.array([3]), 3, 3),
        ],
        "conventions": [
            convention_case(rng, "labelled samples", (12, 7), True, 4.0, 0.3),
            convention_case(rng, "samples without labels", (12, 7), False, 2.0, 0.5),
            convention_case(rng, "no weight of the labels", (12, 7), True, 4.0, 0.0),
            convention_case(rng, "nothing but labels", (12, 7), True, 4.0, 1.0),
            convention_case(rng, "tokens of sequences", (4, 6, 5), True, 3.0, 0.4),
            convention_case(rng, "a temperature of 1000", (9, 5), True, 1000.0, 0.5),
        ],
        "ctc": [
            ctc_case(rng, "a blank in front", 8, 5, 4, 0, [[1, 2], [3], [1, 1], [2, 3, 1], [1], [2, 2, 2], [3, 1], []]),
            ctc_case(rng, "a blank behind", 6, 4, 4, 3, [[0, 1], [2], [0, 0], [1, 2, 0], [], [1]]),
            ctc_case(rng, "a label longer than the steps", 2, 2, 3, 0, [[1, 2, 1], [1]]),
            ctc_case(rng, "one sample of one step", 1, 1, 3, 0, [[2]]),
        ],
        "multiLabel": [
            multi_label_case("five labels, some unknown", zt, zt + rng.normal(size=zt.shape), labels(30, 5)),
            multi_label_case("one label", zt[:, :1], zt[:, :1] + rng.normal(size=(30, 1)), rng.integers(0, 2, size=(30, 1))),
            multi_label_case("students close to the teacher", zt, zt + 1e-6 * rng.normal(size=zt.shape), labels(30, 5)),
            multi_label_case("scores of ten thousand", extreme, extreme[::-1].copy(), labels(20, 4)),
            multi_label_case("labels that both mask", masked, other, np.where(np.isneginf(masked), 0, 1)),
            multi_label_case("a label that the student alone masks", alone, infinite, np.ones((6, 2), dtype=int)),
            multi_label_case("one sample", zt[:1], zt[1:2], np.array([[1, 0, 1, 1, 0]])),
        ],
        "regression": [
            regression_case("three values, one label unknown", values, values + 0.3 * rng.normal(size=values.shape), partly),
            regression_case("values far from 0", 1e6 + values, 1e6 + values + 0.1, 1e6 + values - 0.2 * values[::-1]),
            regression_case("numbers of ten thousand", 1e4 * values, -1e4 * values, 1e4 * values[::-1].copy()),
            regression_case("a constant teacher", np.full((5, 1), 2.5), rng.normal(size=(5, 1)), rng.normal(size=(5, 1))),
            regression_case("one sample", values[:1], values[1:2], values[2:3]),
        ],
        "ridge": [
            ridge_case("a wider teacher", t @ rng.normal(size=(4, 7)) + 0.1 * rng.normal(size=(60, 7)), t),
            ridge_case("a narrower teacher", t[:, :2] ** 2, t),
            ridge_case("features far from 0", 1e3 + t, 1e3 + t @ rng.normal(size=(4, 4))),
        ],
        "fsp": [fsp_case(rng, "layers of 3 and 5 channels", 4, (3, 5), 4), fsp_case(rng, "one channel", 1, (1, 1), 2)],
        "attention": [
            attention_case(rng, "as many heads", 2, 2),
            attention_case(rng, "heads that differ in number", 4, 2),
        ],
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
    t = 1e3 + rng.normal(size=(20, 4))
    pairs.append(features("vectors far from 0", t, t + 0.3 * rng.normal(size=t.shape)))
    target = os.path.join(os.path.dirname(__file__), "../test/evaluate/distill/references.json")
    values = {"bins": BINS, "cases": cases, "features": pairs, **more_kinds(rng)}
    with open(target, "w") as file:
        json.dump(values, file)
        file.write("\n")


if __name__ == "__main__":
    main()
