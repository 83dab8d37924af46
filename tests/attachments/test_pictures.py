"""Pictures made anew: what is kept of them, and what is not."""

import io
import threading

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from attachments import pictures
from attachments.pictures import made_anew
from attachments.refusals import FileRefused
from tests.attachments.samples import SECRET, animation, picture

PIXELS = 1_000_000


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def exif(orientation: int = 1) -> bytes:
    data = Image.Exif()
    data[0x0112] = orientation
    data[0x010E] = SECRET.decode()
    data.get_ifd(0x8825)[1] = "N"
    data.get_ifd(0x8825)[29] = SECRET.decode()
    return data.tobytes()


def with_metadata(format_: str) -> bytes:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    options: dict[str, object] = {"exif": exif(), "icc_profile": profile}
    if format_ == "GIF":
        options = {"comment": SECRET}
    if format_ == "JPEG":
        options |= {"comment": SECRET, "xmp": SECRET}
    if format_ == "WEBP":
        options |= {"xmp": SECRET}
    if format_ == "PNG":
        texts = PngImagePlugin.PngInfo()
        texts.add_text("Comment", SECRET.decode())
        texts.add_itxt("XML:com.adobe.xmp", SECRET.decode())
        options |= {"pnginfo": texts}
    return picture(format_, **options)


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "GIF", "WEBP"])
def test_no_place_device_comment_or_profile_is_kept(format_: str) -> None:
    data = with_metadata(format_)
    assert SECRET in data
    anew = made_anew(data, format_, most_pixels=PIXELS)
    assert SECRET[:8] not in anew
    image = opened(anew)
    assert not image.getexif()
    assert not {"exif", "icc_profile", "comment", "xmp", "Comment", "XML:com.adobe.xmp"} & set(image.info)
    assert image.size == (8, 6)


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "GIF", "WEBP"])
def test_the_picture_stays_the_same(format_: str) -> None:
    image = opened(made_anew(picture(format_, (64, 48)), format_, most_pixels=PIXELS)).convert("RGB")
    for place, colour in (((5, 20), (255, 0, 0)), ((60, 20), (0, 0, 255))):
        assert all(abs(a - b) < 30 for a, b in zip(image.getpixel(place), colour, strict=True))  # type: ignore[arg-type]


def test_a_picture_that_was_taken_sideways_stands_upright() -> None:
    image = opened(made_anew(picture("JPEG", (64, 48), exif=exif(6)), "JPEG", most_pixels=PIXELS))
    assert image.size == (48, 64)


@pytest.mark.parametrize("format_", ["GIF", "WEBP", "PNG"])
def test_a_moving_picture_moves_as_before(format_: str) -> None:
    image = opened(made_anew(animation(format_, 5), format_, most_pixels=PIXELS))
    assert image.n_frames == 5  # type: ignore[attr-defined]
    assert image.info["loop"] == 0
    image.seek(1)
    image.load()
    assert image.info["duration"] == 40


@pytest.mark.parametrize("format_", ["PNG", "WEBP", "GIF"])
def test_transparency_is_kept(format_: str) -> None:
    clear = Image.new("RGBA", (8, 6), (0, 0, 0, 0))
    clear.paste((255, 0, 0, 255), (0, 0, 4, 6))
    out = io.BytesIO()
    clear.save(out, format_)
    image = opened(made_anew(out.getvalue(), format_, most_pixels=PIXELS)).convert("RGBA")
    assert image.getpixel((6, 2))[3] == 0  # type: ignore[index]
    assert image.getpixel((1, 2))[3] == 255  # type: ignore[index]


def test_only_the_named_format_is_opened() -> None:
    with pytest.raises(FileRefused, match="file_damaged"):
        made_anew(picture("TIFF"), "PNG", most_pixels=PIXELS)


def test_pictures_are_opened_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "WAIT_SECONDS", 0.01)
    monkeypatch.setattr(pictures, "_one_at_a_time", threading.Semaphore(0))
    with pytest.raises(FileRefused, match="file_unchecked"):
        made_anew(picture("PNG"), "PNG", most_pixels=PIXELS)
