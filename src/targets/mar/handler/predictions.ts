/** Python that names outputs in the response: all of them, or the best classes of one. */

/** Where a response has the outputs as they are. */
export const OUTPUTS_METHOD = `
    def named(self, outputs, request):
        return outputs
`;

/** Where a response has the best classes of an output. */
export const CLASSES_METHOD = `
    def named(self, outputs, request):
        index = CLASSES["index"]
        scores = request["outputs"][index]
        if request["single"] and length(scores) == 1:
            scores = scores[0]
        return {"predictions": best(np.asarray(scores))}
`;

export const CLASSES_FUNCTIONS = `

def best(scores):
    """The classes with the highest scores, best first, along the last axis; with class numbers, their labels."""
    if CLASSES["numbers"]:
        return predicted(scores.tolist())
    if scores.ndim == 0:
        return [{"index": 0, "label": label_of(0), "score": plain(scores)}]
    if scores.ndim > 1:
        return [best(row) for row in scores]
    scores = scores.astype(np.float64)
    if CLASSES["softmax"]:
        powers = np.exp(scores - scores.max())
        scores = powers / powers.sum()
    # Equal scores keep the order of the classes; NaN comes last.
    order = np.argsort(-np.where(np.isnan(scores), -np.inf, scores), kind="stable")[: CLASSES["top"]]
    return [{"index": int(at), "label": label_of(at), "score": plain(scores[at])} for at in order]


def predicted(number):
    if isinstance(number, list):
        return [predicted(each) for each in number]
    return {"index": number, "label": label_of(number)}


def label_of(index):
    return LABELS[index] if 0 <= index < len(LABELS) else str(index)
`;
