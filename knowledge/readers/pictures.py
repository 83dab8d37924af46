"""Reads pictures of text with rapidocr, an optional package that brings its own models and asks no network."""

import io
from functools import cache
from typing import Any

from knowledge.blocks import Block, Paragraph, Unreadable
from knowledge.readers.reading import Note
from knowledge.readers.text import clean

MOST_PIXELS = 40_000_000
LONGEST_SIDE = 1400  # more would need more than a gigabyte of memory
LEAST_SCORE = 0.5
PACKAGE = "rapidocr"


@cache
def recogniser() -> Any:
    """rapidocr's engine, None when the package is not installed."""
    try:
        from rapidocr import RapidOCR
    except ImportError:
        return None
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def read_picture(data: bytes, note: Note) -> tuple[Block, ...]:
    """The lines of a picture from the top down, as one paragraph. Raises `Unreadable`, also without rapidocr."""
    from PIL import Image

    if recogniser() is None:
        raise Unreadable("pictures_only", PACKAGE)
    try:
        with Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise Unreadable("too_large", f"{MOST_PIXELS // 1_000_000} mega pixels;")
            picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            shown = picture.convert("RGB")
            shown.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            lines = recognised(shown)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Unreadable("damaged", type(error).__name__) from None
    if not lines:
        raise Unreadable("no_text")
    note("recognised", lines[0][:60])
    return (Paragraph("\n".join(lines)),)


def recognised(picture: Any) -> list[str]:
    """The lines of text in a PIL picture; [] for none. `recogniser()` is there."""
    import numpy as np

    found = recogniser()(np.asarray(picture)[:, :, ::-1])
    if found.txts is None:
        return []
    return [
        text
        for told, score in zip(found.txts, found.scores, strict=True)
        if score >= LEAST_SCORE and (text := clean(told).strip())
    ]
