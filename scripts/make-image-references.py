"""Small images and what Pillow makes of them, for test/samples/images: python scripts/make-image-references.py (Pillow 12, numpy).

Expected pixels are CRC-32 of the bytes after conversion to a mode and after each way to resize, by the code of the packaged handler
(src/targets/mar/handler/image-requests.ts).
"""

import json
import os
import zlib

import numpy as np
from PIL import Image, ImageOps

FOLDER = os.path.join(os.path.dirname(__file__), "..", "fixtures", "images")
KERNELS = ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]
SIZES = [(16, 16), (40, 24), (7, 61)]


def pixels(width, height, channels, seed):
    """Waves and noise: smooth parts and sharp ones."""
    random = np.random.default_rng(seed)
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    waves = 128 + 100 * np.sin(x / 5 + c) * np.cos(y / 7 - c)
    noise = random.integers(-60, 60, (height, width, channels))
    return np.clip(waves + noise, 0, 255).astype(np.uint8)


def make():
    color = Image.fromarray(pixels(53, 37, 3, 1))
    color.save("color.png")
    Image.fromarray(pixels(21, 33, 1, 2)[:, :, 0]).save("gray.png")
    Image.fromarray(pixels(20, 18, 4, 3)).save("alpha.png")
    Image.fromarray(pixels(20, 18, 2, 4), "LA").save("gray-alpha.png")
    color.quantize(16).save("palette.png")
    deep = np.random.default_rng(5).integers(0, 65536, (12, 14), dtype=np.uint16)
    Image.fromarray(deep).save("gray16.png")
    color.save("color.jpg", quality=92)
    color.convert("CMYK").save("cmyk.jpg", quality=92)
    turned = Image.Exif()
    turned[0x0112] = 6
    color.save("turned.jpg", quality=92, exif=turned)
    first, second = Image.fromarray(pixels(16, 12, 3, 6)), Image.fromarray(pixels(16, 12, 3, 7))
    first.save("moving.gif", save_all=True, append_images=[second], duration=100)
    color.save("color.webp", lossless=True)
    color.save("color.tif")
    with open("color.jpg", "rb") as whole:
        content = whole.read()
    with open("broken.jpg", "wb") as cut:
        cut.write(content[: len(content) // 2])
    with open("text.png", "w") as text:
        text.write("no image")


def check(image):
    return {"size": list(image.size), "crc32": zlib.crc32(np.ascontiguousarray(np.asarray(image)).tobytes())}


def short(image, side, kernel):
    if image.width <= image.height:
        return image.resize((side, int(side * image.height / image.width)), kernel)
    return image.resize((int(side * image.width / image.height), side), kernel)


def expected():
    decoded = {}
    for name in sorted(os.listdir(".")):
        if name in ("broken.jpg", "text.png", "expected.json"):
            continue
        with Image.open(name) as opened:
            upright = ImageOps.exif_transpose(opened)
            decoded[name] = {mode: check(upright.convert(mode)) for mode in ("L", "RGB", "RGBA")}
    resized = []
    for name, mode in (("color.png", "RGB"), ("gray.png", "L")):
        image = Image.open(name).convert(mode)
        for kernel in KERNELS:
            filter = Image.Resampling[kernel.upper()]
            for size in SIZES:
                for method, made in (
                    ("stretch", image.resize(size, filter)),
                    ("crop", ImageOps.fit(image, size, filter)),
                    ("pad", ImageOps.pad(image, size, filter)),
                ):
                    resized.append({"file": name, "mode": mode, "kernel": kernel, "resize": method, "to": size, **check(made)})
            for side in (16, 90):
                made = short(image, side, filter)
                resized.append({"file": name, "mode": mode, "kernel": kernel, "resize": "short", "to": [side], **check(made)})
    return {"decoded": decoded, "resized": resized}


os.makedirs(FOLDER, exist_ok=True)
os.chdir(FOLDER)
make()
with open("expected.json", "w") as file:
    json.dump(expected(), file, indent=1)
    file.write("\n")
