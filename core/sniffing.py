"""What a file is, by its bytes; its name and what the client says must agree."""

import re
import unicodedata
import zipfile
from pathlib import PurePosixPath
from typing import IO, NamedTuple

from core.errors import Invalid

HEAD = 8192
SAFE_INLINE = ("image/png", "image/jpeg", "image/webp", "image/gif", "application/pdf")
PICTURES = ("image/png", "image/jpeg", "image/webp", "image/gif")
OFFICE = "application/vnd.openxmlformats-officedocument"


class FileType(NamedTuple):
    extensions: tuple[str, ...]
    also: tuple[str, ...] = ()  # what clients call it besides; browsers call a CSV file Excel where Excel is installed


# The allow-list. SVG and HTML run scripts, archives and programs hide anything.
ALLOWED = {
    "application/pdf": FileType(("pdf",), ("application/x-pdf",)),
    "image/png": FileType(("png",)),
    "image/jpeg": FileType(("jpg", "jpeg"), ("image/jpg", "image/pjpeg")),
    "image/webp": FileType(("webp",)),
    "image/gif": FileType(("gif",)),
    "text/plain": FileType(("txt",)),
    "text/csv": FileType(("csv",), ("text/plain", "application/csv", "application/vnd.ms-excel")),
    "application/json": FileType(("json",), ("text/plain", "text/json")),
    f"{OFFICE}.spreadsheetml.sheet": FileType(("xlsx",), ("application/zip",)),
    f"{OFFICE}.wordprocessingml.document": FileType(("docx",), ("application/zip",)),
}
BY_EXTENSION = {extension: name for name, kind in ALLOWED.items() for extension in kind.extensions}
TEXTS = ("text/plain", "text/csv", "application/json")
PARTS = {"xl/workbook.xml": f"{OFFICE}.spreadsheetml.sheet", "word/document.xml": f"{OFFICE}.wordprocessingml.document"}
UNDECLARED = ("", "application/octet-stream", "binary/octet-stream")
MARKUP = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype|!--|html|head|body|script|svg|iframe|\?php|\?xml)", re.IGNORECASE)
PAGE = re.compile(rb"<(!doctype\s+html|html|script|svg|iframe|\?php)", re.IGNORECASE)
CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")


def sanitised(filename: str) -> str:
    """The last part of a path, in Unicode's composed form, without what no file system or header takes."""
    name = PurePosixPath(unicodedata.normalize("NFC", filename).replace("\\", "/")).name
    kept = "".join(letter for letter in name if unicodedata.category(letter)[0] != "C" and letter not in '<>:"|?*')
    stem, dot, extension = kept.strip(" .").rpartition(".")
    if not dot:
        stem, extension = extension, ""
    return f"{stem[:200]}{dot}{extension[:20]}" or "file"


def checked(file: IO[bytes], *, filename: str, declared: str = "") -> tuple[str, str]:
    """The file's name and its type. Raises Invalid where it is not allowed, or is not what it is said to be."""
    found = _sniffed(file)
    name = sanitised(filename)
    extension = PurePosixPath(name).suffix.removeprefix(".").lower()
    if extension and extension not in BY_EXTENSION:
        raise _refused(f"Files named .{extension} are not taken")
    named = BY_EXTENSION.get(extension, found)
    if named != found and not {named, found} <= set(TEXTS):
        raise _refused(f"{name} is not what its name says: its content is {found}")
    kind, said = ALLOWED[named], declared.partition(";")[0].strip().lower()
    if said not in (*UNDECLARED, named, *kind.also):
        raise _refused(f"{name} was sent as {said}, but it is {named}")
    return name if extension else f"{name}.{kind.extensions[0]}", named


def _sniffed(file: IO[bytes]) -> str:
    file.seek(0)
    head = file.read(HEAD)
    if not head:
        raise _refused("The file is empty")
    # Imported when used: every kind of file that it knows is a class of its own.
    import filetype  # noqa: PLC0415

    guess = {"image/apng": "image/png"}.get(found := filetype.guess_mime(head) or "", found)
    if head.startswith(b"PK\x03\x04"):
        guess = _office(file)
    elif not guess:
        guess = _text(file)
    elif guess in ALLOWED:
        _refuse_two_in_one(file, head)
    if guess not in ALLOWED:
        raise _refused(f"Files of type {guess or 'unknown'} are not taken")
    return guess


def _office(file: IO[bytes]) -> str:
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise _refused("The file is broken") from error
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise _refused("Documents with macros are not taken")
    return next((kind for part, kind in PARTS.items() if part in names), "application/zip")


def _text(file: IO[bytes]) -> str:
    """Of any encoding whose letters are bytes: spreadsheets still write CSV files in Windows-1252."""
    file.seek(0)
    if MARKUP.match(file.read(HEAD)):
        return "text/html"
    file.seek(0)
    while chunk := file.read(1 << 16):
        if CONTROL.search(chunk):
            return ""
    return "text/plain"


def _refuse_two_in_one(file: IO[bytes], head: bytes) -> None:
    """A picture that is a page or an archive as well is somebody's trick."""
    if PAGE.search(head[:1024]) or b"%PDF-" in head[1:1024] or zipfile.is_zipfile(file):
        raise _refused("The file is two kinds of file at once")


def _refused(what: str) -> Invalid:
    known = ", ".join(sorted(BY_EXTENSION))
    detail = f"{what}. Taken are: {known}."
    return Invalid(detail, code="file_refused", fields={"file": detail})
