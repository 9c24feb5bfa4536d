"""Writes test/tensor/small-float-references.json: what ml_dtypes gives for float32 numbers rounded to bfloat16 and to float8_e4m3fn.

pip install numpy ml_dtypes, then: python scripts/make-small-float-references.py

Numbers are given by their bits. ml_dtypes does not saturate: beyond the largest float8_e4m3fn it gives NaN.
"""
import json
import os

import ml_dtypes
import numpy as np


def numbers():
    rng = np.random.default_rng(7)
    fixed = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 448.0, 463.99997, 464.0, 464.00003, 480.0, 65504.0]
    # Every float8_e4m3fn, the middles between neighbours and the float32 beside each.
    codes = np.arange(256, dtype=np.uint8).view(ml_dtypes.float8_e4m3fn).astype(np.float32)
    finite = np.unique(codes[np.isfinite(codes)])
    middles = ((finite[1:].astype(np.float64) + finite[:-1]) / 2).astype(np.float32)
    beside = [np.nextafter(middles, np.float32(side)) for side in (-np.inf, np.inf)]
    # The same around some bfloat16 values, at the ends of their range too.
    upper = np.array([0x0001, 0x0080, 0x3F80, 0x3F81, 0x4049, 0x7F7E, 0x7F7F, 0x8001, 0xBF80, 0xFF7F], dtype=np.uint32)
    around = (upper[:, None] << 16 | np.array([0x0000, 0x7FFF, 0x8000, 0x8001, 0xFFFF], dtype=np.uint32)).ravel().view(np.float32)
    wide = (rng.standard_normal(300) * 10.0 ** rng.uniform(-8, 4, 300)).astype(np.float32)
    return np.concatenate([np.array(fixed, dtype=np.float32), finite, middles, *beside, around, wide])


def main():
    values = numbers()
    with np.errstate(all="ignore"):
        bfloat16 = values.astype(ml_dtypes.bfloat16).view(np.uint16)
        float8 = values.astype(ml_dtypes.float8_e4m3fn).view(np.uint8)
    target = os.path.join(os.path.dirname(__file__), "../test/tensor/small-float-references.json")
    with open(target, "w", encoding="utf-8") as file:
        json.dump(
            {
                "ml_dtypes": ml_dtypes.__version__,
                "float32": values.view(np.uint32).tolist(),
                "bfloat16": bfloat16.tolist(),
                "float8e4m3fn": float8.tolist(),
            },
            file,
        )
        file.write("\n")


main()
