"""Makes pictures anew from their pixels, so that nothing else in the file is kept: no place, no device, no appendix.

Knows nothing of where they come from and go to.
"""

import struct
import threading
from io import BytesIO

from PIL import Image, ImageOps

from attachments.refusals import FileRefused

MOST_FRAMES = 300
WAIT_SECONDS = 20.0
_OPTIONS: dict[str, dict[str, object]] = {
    "JPEG": {"quality": 88},
    "WEBP": {"quality": 85, "method": 2},
    "PNG": {"compress_level": 4},
}
_DAMAGES = (  # what Pillow raises, depending on the format and the damage
    OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError,
    struct.error,
)  # fmt: skip
# A picture of a few kilobytes may take hundreds of megabytes while it is open.
_one_at_a_time = threading.Semaphore(1)


def made_anew(data: bytes, format_: str, *, most_pixels: int) -> bytes:
    """Return the picture in the same format, upright and moving as before, without metadata and colour profile.

    `format_` is PNG, JPEG, GIF or WEBP; `most_pixels` bounds width x height x frames. One at a time in a process.
    Raises FileRefused.
    """
    if not _one_at_a_time.acquire(timeout=WAIT_SECONDS):
        raise FileRefused("file_unchecked", "pictures queue up")
    try:
        with Image.open(BytesIO(data), formats=(format_,)) as picture:
            # A JPEG with several pictures (depth, preview) is one picture.
            moving = format_ != "JPEG" and getattr(picture, "is_animated", False)
            loop = picture.info.get("loop")
            frames, milliseconds = _frames(picture, most_pixels, moving=moving)
            return _encoded(frames, milliseconds, format_, loop=loop)
    except Image.DecompressionBombError:
        raise FileRefused("file_pixels") from None
    except _DAMAGES as error:
        raise FileRefused("file_damaged", repr(error)) from None
    finally:
        _one_at_a_time.release()


def _frames(picture: Image.Image, most_pixels: int, *, moving: bool) -> tuple[list[Image.Image], list[int]]:
    """Return the frames with their times, counting them while they are read: the header's number may be any."""
    frames: list[Image.Image] = []
    milliseconds: list[int] = []
    size = picture.width * picture.height
    if size > most_pixels:
        raise FileRefused("file_pixels")
    while True:
        if (len(frames) + 1) * size > most_pixels or len(frames) == MOST_FRAMES:
            raise FileRefused("file_pixels", f"more than {len(frames)} frames")
        if not moving:
            ImageOps.exif_transpose(picture, in_place=True)
        mode = "RGBA" if picture.has_transparency_data else "RGB"
        # A copy of a picture that fills memory is only made where it must be.
        frame = picture if not moving and picture.mode == mode else picture.convert(mode)
        milliseconds.append(int(picture.info.get("duration") or 0))
        frame.info = {}
        frames.append(frame)
        if not moving:
            return frames, milliseconds
        try:
            picture.seek(picture.tell() + 1)
        except EOFError:
            return frames, milliseconds


def _encoded(frames: list[Image.Image], milliseconds: list[int], format_: str, *, loop: object) -> bytes:
    options = dict(_OPTIONS.get(format_, {}))
    if len(frames) > 1:
        options |= {"save_all": True, "append_images": frames[1:], "duration": milliseconds}
        options |= {"loop": loop} if isinstance(loop, int) else {}
        options |= {"disposal": 2} if format_ == "GIF" and frames[0].mode == "RGBA" else {}
    out = BytesIO()
    frames[0].save(out, format_, **options)
    return out.getvalue()
