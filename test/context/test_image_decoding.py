"""Every encoding that cameras send becomes the colours that were put in."""

from __future__ import annotations

import importlib.util

import cv2
import numpy as np
import pytest

from dva_ros.context.image_decoding import (
    ENCODINGS,
    ImageError,
    Window,
    compressed_size,
    decode_compressed,
    decode_image,
)

HEIGHT, WIDTH = 12, 16
RED, GREEN, BLUE = (230, 40, 10), (20, 200, 60), (10, 70, 220)


def coloured() -> np.ndarray:
    """Fields of colours without fine detail: demosaicing and chroma keep them inside."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[:, :8], image[:6, 8:], image[6:, 8:] = RED, GREEN, BLUE
    return image


def mosaic(image: np.ndarray, pattern: str) -> np.ndarray:
    """What a sensor behind colour filters `pattern` (upper left 2x2, row by row) measures."""
    channels = ["rgb".index(colour) for colour in pattern]
    flat = np.empty(image.shape[:2], np.uint8)
    for at, channel in enumerate(channels):
        flat[at // 2 :: 2, at % 2 :: 2] = image[at // 2 :: 2, at % 2 :: 2, channel]
    return flat


def luma_chroma(image: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """BT.601 with values of video range: float luma, blue and red difference [h, w]."""
    r, g, b = (image[..., n].astype(float) for n in range(3))
    y = 16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255
    u = 128 + (-37.797 * r - 74.203 * g + 112.0 * b) / 255
    v = 128 + (112.0 * r - 93.786 * g - 18.214 * b) / 255
    return y.round().astype(np.uint8), u.round().astype(np.uint8), v.round().astype(np.uint8)


def encode(encoding: str, image: np.ndarray) -> np.ndarray:
    """The bytes of an image in an encoding, by definition and not by our decoder's tables."""
    if encoding.endswith("16") or encoding.startswith("16UC"):
        eight = encode(encoding.replace("16", "8", 1), image)
        return (eight.astype(np.uint16) * 257).astype("<u2").view(np.uint8)
    if encoding.startswith("bayer_"):
        return mosaic(image, encoding[6:10])
    grey = image[..., 0]
    alpha = np.full((*image.shape[:2], 1), 77, np.uint8)
    y, u, v = luma_chroma(image)
    pairs = {"uyvy": (0, 1), "yuv422": (0, 1), "yuyv": (1, 0), "yuv422_yuy2": (1, 0)}
    if encoding in pairs:
        packed = np.empty((*image.shape[:2], 2), np.uint8)
        chroma_at, luma_at = pairs[encoding]
        packed[..., luma_at] = y
        packed[:, 0::2, chroma_at], packed[:, 1::2, chroma_at] = u[:, 0::2], v[:, 0::2]
        return packed
    if encoding in ("nv12", "nv21"):
        both = (u, v) if encoding == "nv12" else (v, u)
        chroma = np.stack([part[::2, ::2] for part in both], -1).reshape(HEIGHT // 2, WIDTH)
        return np.concatenate([y, chroma])
    return {
        "rgb8": image,
        "bgr8": image[..., ::-1],
        "rgba8": np.concatenate([image, alpha], -1),
        "bgra8": np.concatenate([image[..., ::-1], alpha], -1),
        "mono8": grey,
        "8UC1": grey,
        "8UC3": image[..., ::-1],
        "8UC4": np.concatenate([image[..., ::-1], alpha], -1),
    }[encoding]


def is_grey(encoding: str) -> bool:
    return encoding.startswith("mono") or encoding.endswith("UC1")


def row_bytes(encoding: str, image: np.ndarray) -> int:
    return np.ascontiguousarray(encode(encoding, image)).reshape(-1, WIDTH).nbytes // rows(
        encoding
    )


def rows(encoding: str) -> int:
    return HEIGHT * 3 // 2 if encoding.startswith("nv") else HEIGHT


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_encoding_gives_the_colours_that_were_encoded(encoding: str) -> None:
    image = coloured()
    data = np.ascontiguousarray(encode(encoding, image)).tobytes()
    found = decode_image(encoding, HEIGHT, WIDTH, 0, data)
    assert found.shape == (HEIGHT, WIDTH, 3) and found.dtype == np.uint8
    expected = np.repeat(image[..., :1], 3, -1) if is_grey(encoding) else image
    # Demosaicing mixes neighbours, so that only the inside of a field is compared.
    inside = [
        (slice(2, 10), slice(2, 6)),
        (slice(2, 4), slice(10, 14)),
        (slice(8, 10), slice(10, 14)),
    ]
    exact = not (encoding.startswith("bayer") or encoding[:2] in ("yu", "uy", "nv"))
    for part in [(slice(None), slice(None))] if exact else inside:
        difference = found[part].astype(int) - expected[part]
        assert np.abs(difference).max() <= (0 if exact else 3)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_padded_rows_and_windows_give_the_same_pixels(encoding: str) -> None:
    """Also at odd places, where a window cuts the cells of Bayer patterns and of YUV."""
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    width = row_bytes(encoding, noise)
    close = np.ascontiguousarray(encode(encoding, noise)).reshape(rows(encoding), width).copy()
    padded = np.full((rows(encoding), width + 6), 99, np.uint8)
    padded[:, :width] = close.view(np.uint8)
    whole = decode_image(encoding, HEIGHT, WIDTH, width, close.tobytes())
    assert (decode_image(encoding, HEIGHT, WIDTH, width + 6, padded.tobytes()) == whole).all()
    for window in (Window(3, 5, 7, 4), Window(4, 2, 8, 10), Window(15, 11, 1, 1)):
        part = decode_image(encoding, HEIGHT, WIDTH, width, close.tobytes(), window=window)
        assert (part == window.cut(whole)).all()


@pytest.mark.parametrize("encoding", ["mono16", "bgr16", "16UC1", "bayer_grbg16"])
def test_big_endian_values_are_the_same_numbers(encoding: str) -> None:
    little = encode(encoding, coloured())
    big = np.ascontiguousarray(little).view("<u2").astype(">u2")
    assert (
        decode_image(encoding, HEIGHT, WIDTH, 0, big.tobytes(), is_bigendian=True)
        == decode_image(encoding, HEIGHT, WIDTH, 0, np.ascontiguousarray(little).tobytes())
    ).all()


def test_sixteen_bits_are_scaled_and_rounded() -> None:
    values = np.array([[0, 128, 129, 32768, 65407, 65535]], "<u2")
    found = decode_image("mono16", 1, 6, 0, values.tobytes())[0, :, 0]
    assert found.tolist() == np.rint(values[0] / 257).astype(int).tolist()


def test_rgb8_is_not_copied_whole_or_cut() -> None:
    data = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    whole = decode_image("rgb8", HEIGHT, WIDTH, 0, data.reshape(-1))
    part = decode_image("rgb8", HEIGHT, WIDTH, 0, data.reshape(-1), window=Window(1, 2, 3, 4))
    data[2, 1] = (5, 6, 7)
    assert whole[2, 1].tolist() == part[0, 0].tolist() == [5, 6, 7]


@pytest.mark.parametrize(
    ("encoding", "height", "width", "step", "size", "said"),
    [
        ("32FC1", 2, 2, 8, 16, r"'32FC1', usable are rgb8.*bayer_rggb8.*yuyv"),
        ("rgb8", 2, 2, 6, 11, "11 bytes with step 6 do not hold 2x2 pixels of rgb8"),
        ("rgb8", 2, 2, 5, 12, "step 5"),
        ("mono16", 2, 2, 5, 16, "step 5 is no whole number"),
        ("yuyv", 2, 3, 6, 12, "must be even"),
        ("bayer_rggb8", 3, 2, 2, 6, "must be even"),
        ("nv12", 2, 2, 2, 5, "5 bytes"),
        ("mono8", 0, 0, 0, 0, "0x0"),
    ],
)
def test_unusable_data_say_why(
    encoding: str, height: int, width: int, step: int, size: int, said: str
) -> None:
    with pytest.raises(ImageError, match=said):
        decode_image(encoding, height, width, step, bytes(size))


@pytest.mark.parametrize(
    ("format", "suffix", "swapped"),
    [
        ("jpeg", ".jpg", False),
        ("png", ".png", False),
        ("rgb8; jpeg compressed bgr8", ".jpg", False),
        ("bgr8; png compressed bgr8", ".png", False),
        ("bgra8; png compressed bgr8", ".png", False),
        ("rgb8; jpeg compressed rgb8", ".jpg", True),
        ("rgb8; png compressed rgb8", ".png", True),
    ],
)
def test_compressed_colours_are_true_in_every_format(
    format: str, suffix: str, swapped: bool
) -> None:
    """Where image_transport handed RGB to the encoder, the file has red and blue swapped."""
    image = coloured()
    handed = image if swapped else image[..., ::-1]
    data = cv2.imencode(suffix, handed, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
    assert compressed_size(format, data) == (HEIGHT, WIDTH)
    found = decode_compressed(format, data)
    tolerance = 0 if suffix == ".png" else 12
    assert np.abs(found[1:5, 1:6].astype(int) - image[1:5, 1:6]).max() <= tolerance


@pytest.mark.parametrize("format", ["mono8; jpeg compressed ", "mono16; png compressed ", "jpeg"])
def test_compressed_grey_has_three_equal_channels(format: str) -> None:
    grey = np.full((HEIGHT, WIDTH), 150, np.uint16 if "16" in format else np.uint8)
    data = cv2.imencode(
        ".png" if "png" in format else ".jpg", grey * (257 if "16" in format else 1)
    )
    found = decode_compressed(format, data[1].tobytes())
    assert np.abs(found.astype(int) - 150).max() <= 1


def test_a_compressed_bayer_pattern_is_demosaiced() -> None:
    data = cv2.imencode(".png", mosaic(coloured(), "gbrg"))[1].tobytes()
    found = decode_compressed("bayer_gbrg8; png compressed ", data)
    assert np.abs(found[3:9, 2:6].astype(int) - RED).max() <= 1


def test_progressive_jpeg_and_jpeg_with_application_data_have_a_size() -> None:
    image = np.zeros((37, 51, 3), np.uint8)
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    with_exif = data[:2] + b"\xff\xe1\x00\x08\xff\xc0ab\x00\x00" + data[2:]
    assert compressed_size("jpeg", data) == compressed_size("jpeg", with_exif) == (37, 51)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "begin with nothing, usable are jpeg, png"),
        (b"RIFFxxxxWEBP", "52494646"),
        (b"\xff\xd8\xff\xe0\x00", "ends in its header"),
        (b"\x89PNG\r\n\x1a\n\x00", "ends in its header"),
    ],
)
def test_unusable_compressed_data_say_why(data: bytes, said: str) -> None:
    with pytest.raises(ImageError, match=said):
        decode_compressed("webp", data)


def test_a_damaged_file_says_so() -> None:
    data = cv2.imencode(".png", coloured())[1].tobytes()
    with pytest.raises(ImageError, match="damaged"):
        decode_compressed("png", data[:40] + bytes(len(data) - 40))


@pytest.mark.skipif(
    importlib.util.find_spec("cv_bridge") is None,
    reason="cv_bridge is not installed (it exists as no wheel)",
)
def test_the_pixels_are_those_of_cv_bridge() -> None:
    """Of every encoding that cv_bridge can convert; those without a colour it refuses."""
    from cv_bridge import CvBridge, CvBridgeError
    from sensor_msgs.msg import Image

    image = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    compared = set()
    for encoding in ENCODINGS:
        data = np.ascontiguousarray(encode(encoding, image)).tobytes()
        step = len(data) // rows(encoding)
        message = Image(height=HEIGHT, width=WIDTH, encoding=encoding, step=step, data=data)
        try:
            expected = CvBridge().imgmsg_to_cv2(message, "rgb8")
        except CvBridgeError:
            continue
        compared.add(encoding)
        found = decode_image(encoding, HEIGHT, WIDTH, step, data).astype(int)
        assert np.abs(found - expected).max() <= (1 if "16" in encoding else 0), encoding
    assert {"rgb8", "bgr8", "mono8", "mono16", "bayer_rggb8", "yuv422"} <= compared
