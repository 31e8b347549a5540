"""Small copies of pictures: turned as the camera says, without metadata, and never more pixels than memory bears."""

from io import BytesIO
from typing import IO, Any

from core.errors import Conflict

LARGEST = 40_000_000  # pixels: 160 MB while it is made smaller, of the 512 MB of a function
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
CONTENT_TYPE = "image/webp"


class NoPicture(Conflict):
    code = "no_picture"


def thumbnail(file: IO[bytes], size: int) -> bytes:
    """At most `size` pixels wide and high. Raises NoPicture."""
    return _made(file, lambda picture: picture.thumbnail((size, size)), size)


def square(file: IO[bytes], size: int) -> bytes:
    """The middle of the picture, at most `size` pixels wide. Raises NoPicture."""

    def cut(picture: Any) -> Any:
        from PIL import ImageOps  # noqa: PLC0415

        side = min(size, *picture.size)
        return ImageOps.fit(picture, (side, side))

    return _made(file, cut, 2 * size)


def _made(file: IO[bytes], change: Any, needed: int) -> bytes:
    # Imported when used: a cold start does without.
    from PIL import Image, ImageOps  # noqa: PLC0415

    try:
        file.seek(0)
        with Image.open(file, formats=FORMATS) as opened:
            if opened.width * opened.height > LARGEST:
                raise NoPicture(f"The picture has {opened.width} by {opened.height} pixels: at most {LARGEST:,} in all are read.")
            opened.draft("RGB", (needed, needed))
            upright = ImageOps.exif_transpose(opened)
            picture = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
        picture = change(picture) or picture
        picture.info = {}
        written = BytesIO()
        picture.save(written, "WEBP", quality=82)
        return written.getvalue()
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, Image.DecompressionBombError) as error:
        raise NoPicture("The picture is broken, or too large to be read.") from error
