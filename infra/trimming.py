"""What of the packages the function does without."""

import shutil
from pathlib import Path

# Zappa needs these on the machine that deploys, drf-spectacular to check what it wrote, cffi to compile, httpx2 to wait for many.
UNNEEDED = {
    "anyio", "argcomplete", "cfn-flip", "click", "hjson", "packaging", "pip", "placebo", "python-slugify", "setuptools",
    "text-unidecode", "toml", "tqdm", "troposphere", "wheel", "attrs", "jsonschema", "jsonschema-specifications", "referencing",
    "rpds-py", "pycparser",
}  # fmt: skip
SERVICES = {"events", "s3", "sesv2", "sns", "sqs"}  # of AWS that the code calls
LANGUAGES = {"en", "__init__.py"}  # that the product speaks
PRODUCTS_OF_STRIPE = (
    "billing", "billing_portal", "climate", "financial_connections", "forwarding", "identity", "issuing", "radar", "sigma", "tax",
    "terminal", "test_helpers", "treasury", "v2/money_management",
)  # fmt: skip
FONT_MAKING = (
    "afmLib.py", "cu2qu", "diff", "feaLib/builder.py", "feaLib/lexer.py", "feaLib/parser.py", "fontBuilder.py", "merge",
    "misc/filesystem", "mtiLib", "qu2cu", "t1Lib", "tfmLib.py", "ttx.py", "ufoLib", "varLib/avar", "varLib/avarPlanner.py",
    "varLib/interpolat*", "voltLib",
)  # fmt: skip
# Parts of packages, by pattern. Those in C are of formats that nobody reads here, or make faster what is seldom asked for.
UNUSED = (
    "bin", "docs", "zappa/cli.py", "zappa/core.py", "zappa/letsencrypt.py", "zappa/policies", "boto3/examples",
    "django/contrib/gis", "django/db/backends/mysql", "django/db/backends/oracle", "allauth/socialaccount/providers",
    "allauth/idp",
    "allauth/headless/spec/doc", "httpx2/websockets", "urllib3/contrib/emscripten",
    *(f"fido2/{name}" for name in ("attestation", "client", "ctap*", "hid", "mds3.py", "payment.py", "pcsc.py")),
    "stripe/events", "stripe/params",  # types of webhooks that are not asked for, and for a checker
    *(f"stripe/{name}" for name in PRODUCTS_OF_STRIPE),
    *(f"fontTools/{name}" for name in FONT_MAKING),
    *(f"werkzeug/{name}" for name in ("debug", "middleware", "routing", "testapp.py")),
    "PIL/_avif.*", "PIL/_imagingcms.*", "PIL/_imagingft.*", "PIL/_imagingtk.*",
    *(f"pillow.libs/lib{name}*" for name in ("avif", "brotli", "freetype", "harfbuzz", "lcms2", "png")),
    "fontTools/**/*.so", "yaml/*.so", "charset_normalizer/*.so", "*__mypyc*.so",
    "cffi", "dateutil/zoneinfo", "botocore/cacert.pem",  # _cffi_backend is enough to run what is built; certifi's are taken
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
