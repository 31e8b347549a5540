"""What of the packages the function does without."""

import shutil
from pathlib import Path

# Zappa needs these on the machine that deploys, drf-spectacular to check what it wrote, cffi to compile.
UNNEEDED = {
    "argcomplete", "cfn-flip", "click", "hjson", "pip", "placebo", "python-slugify", "setuptools", "text-unidecode", "toml",
    "tqdm", "troposphere", "wheel", "attrs", "jsonschema", "jsonschema-specifications", "referencing", "rpds-py", "pycparser",
}  # fmt: skip
SERVICES = {"events", "s3", "sesv2", "sns", "sqs"}  # of AWS that the code calls
LANGUAGES = {"en", "__init__.py"}  # that the product speaks
# Parts of packages, by pattern. Those in C are of formats that nobody reads here, or make faster what is seldom asked for.
UNUSED = (
    "bin", "docs", "zappa/cli.py", "zappa/core.py", "zappa/letsencrypt.py", "zappa/policies", "boto3/examples",
    "django/contrib/gis", "django/db/backends/mysql", "django/db/backends/oracle", "allauth/socialaccount/providers",
    "allauth/idp",
    "stripe/events", "stripe/params",  # types of webhooks that are not asked for, and for a checker
    *(f"fontTools/{name}" for name in ("merge", "mtiLib", "ufoLib", "voltLib")),
    "PIL/_avif.*", "PIL/_imagingcms.*", "PIL/_imagingft.*", "PIL/_imagingtk.*",
    *(f"pillow.libs/lib{name}*" for name in ("avif", "brotli", "freetype", "harfbuzz", "lcms2", "png")),
    "fontTools/**/*.so", "yaml/*.so", "charset_normalizer/*.so", "*__mypyc*.so",
    "barcode/fonts", "dateutil/zoneinfo", "botocore/cacert.pem",  # certifi's are taken
)  # fmt: skip
FOLDERS = ("static", "tests", "__pycache__")  # static files are collected, and found by their manifest
ENDINGS = (".pyi", ".pyx", ".pxd", ".c", ".h", ".po")


def trim(folder: Path) -> None:
    for pattern in UNUSED:
        for path in [*folder.glob(pattern)]:
            _remove(path)
    for data in ("botocore/data", "boto3/data"):
        _keep(SERVICES, [path for path in (folder / data).iterdir() if path.is_dir()])
    for languages in [*folder.rglob("locale")]:
        _keep(LANGUAGES, [*languages.iterdir()])
    for about in [*folder.glob("*.dist-info")]:
        headers = (about / "METADATA").read_text().partition("\n\n")[0]
        shutil.rmtree(about)
        about.mkdir()
        (about / "METADATA").write_text(headers + "\n")  # versions are asked for
    for path in sorted(folder.rglob("*")):
        if (path.is_dir() and path.name in FOLDERS) or path.name.endswith(ENDINGS):
            _remove(path)


def _keep(names: set[str], paths: list[Path]) -> None:
    for path in paths:
        if path.name not in names:
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
