"""Makes teacher.npy, student.npy (float32) and labels.npy in a folder. Usage: make_logits.py FOLDER ROWS CLASSES"""

import sys

import numpy as np

folder, rows, classes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = np.random.default_rng(0)
shape = (rows, classes)
teacher = np.lib.format.open_memmap(f"{folder}/teacher.npy", mode="w+", dtype=np.float32, shape=shape)
student = np.lib.format.open_memmap(f"{folder}/student.npy", mode="w+", dtype=np.float32, shape=shape)
labels = np.empty(rows, np.int64)
for start in range(0, rows, 10_000):
    z = rng.standard_normal((min(10_000, rows - start), classes), dtype=np.float32) * 2
    labels[start : start + len(z)] = (z + rng.standard_normal(z.shape, dtype=np.float32)).argmax(1)
    teacher[start : start + len(z)] = z
    student[start : start + len(z)] = 0.7 * z + rng.standard_normal(z.shape, dtype=np.float32)
np.save(f"{folder}/labels.npy", labels)
