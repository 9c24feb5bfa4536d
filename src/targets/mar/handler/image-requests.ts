/** Python that turns images into the model's input; only handlers of `--preprocess image` have it. */
export const IMAGE_IMPORTS = `import base64
import binascii
`;

export const IMAGE_PACKAGES = `from PIL import Image, ImageOps, UnidentifiedImageError
`;

/** The methods of the class. */
export const IMAGE_METHODS = `
    def prepare(self):
        pass

    def read(self, row):
        body = body_of(row)
        if isinstance(body, (bytes, bytearray)) and not looks_like_json(body):
            return {INPUTS[0]["name"]: picture(bytes(body))}
        value = decoded(body)
        images = images_in(value)
        if images is None:
            return tensors_of(value)
        if isinstance(images, str):
            return {INPUTS[0]["name"]: picture(unpacked(images))}
        return {INPUTS[0]["name"]: np.stack([picture(unpacked(image)) for image in images])}

    def aligned(self, requests):
        return requests
`;

export const IMAGE_FUNCTIONS = `

def looks_like_json(body):
    return bytes(body[:64]).lstrip()[:1] in (b"{", b"[", b'"') or bytes(body[:6]) == b"\\x93NUMPY"


def images_in(value):
    """Base64 text, or a list of such texts, in a JSON body; None where it has tensors."""
    if isinstance(value, dict):
        for key in ("image", "data", "b64", INPUTS[0]["name"]):
            if key in value:
                return images_in(value[key])
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return value
    return None


def unpacked(text):
    """The bytes of a base64 text, with or without a data URL before."""
    try:
        return base64.b64decode(text.split(",", 1)[-1] if text.startswith("data:") else text, validate=True)
    except (binascii.Error, ValueError):
        raise wrong("The image is not valid base64") from None


def picture(data):
    """One image as an array in the layout of the input, without the batch dimension."""
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"]) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise wrong("The image has %s pixels, more than %s" % (opened.width * opened.height, MOST_PIXELS))
            image = ImageOps.exif_transpose(opened).convert(IMAGE["mode"])
    except UnidentifiedImageError:
        raise wrong("The body is not an image: send JPEG, PNG, WebP, GIF, BMP or TIFF") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as problem:
        raise wrong("The image cannot be read: %s" % first_line(problem)) from None
    pixels = np.asarray(sized(image))
    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
    if IMAGE["color"] == "bgr":
        pixels = pixels[:, :, [2, 1, 0]]
    if INPUTS[0]["type"] != "uint8":
        pixels = (pixels.astype(np.float32) * IMAGE["scale"] - np.float32(IMAGE["mean"])) / np.float32(IMAGE["std"])
    if IMAGE["layout"] == "nchw":
        pixels = pixels.transpose(2, 0, 1)
    return np.ascontiguousarray(pixels, dtype=INPUTS[0]["type"])


def sized(image):
    """The image at the size of the input: resized, and the centre of what is larger cut out."""
    image = resized(image)
    width, height = IMAGE["width"], IMAGE["height"]
    if image.size == (width, height):
        return image
    if not IMAGE["cut"] or image.width < width or image.height < height:
        raise wrong("The image has %s x %s pixels, the model takes %s x %s" % (image.size + (width, height)))
    left, top = round((image.width - width) / 2), round((image.height - height) / 2)
    return image.crop((left, top, left + width, top + height))


def resized(image):
    """Stretched, cut from the centre, with bars, or by its shorter side."""
    kernel = Image.Resampling[IMAGE["kernel"].upper()]
    size = IMAGE["resizeWidth"], IMAGE["resizeHeight"]
    if IMAGE["resize"] == "none":
        return image
    if IMAGE["resize"] == "stretch":
        return image.resize(size, kernel)
    if IMAGE["resize"] == "crop":
        return ImageOps.fit(image, size, kernel)
    if IMAGE["resize"] == "pad":
        return ImageOps.pad(image, size, kernel)
    side = IMAGE["shortSide"]
    if image.width <= image.height:
        return image.resize((side, int(side * image.height / image.width)), kernel)
    return image.resize((int(side * image.width / image.height), side), kernel)


# Larger images are refused before they are decoded.
MOST_PIXELS = 50_000_000
`;
