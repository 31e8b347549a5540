"""The trace that a request belongs to, as W3C Trace Context writes it (`traceparent`) and as AWS does (`X-Amzn-Trace-Id`)."""

import re
import secrets

WORDS = r"(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})"
FIRST = re.compile(f"00-{WORDS}")
LATER = re.compile(f"(?!00|ff)[0-9a-f]{{2}}-{WORDS}(?:-.*)?")
X_RAY_ROOT, X_RAY_PARENT = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})"), re.compile(r"[0-9a-f]{16}")
SAMPLED = 1  # a bit of the flags


def traceparent_of(w3c: str, x_ray: str) -> str:
    """Of a request's two headers, in version 00 of W3C's form; nothing where neither names a trace."""
    found = FIRST.fullmatch(w3c) or LATER.fullmatch(w3c[:200])
    return f"00-{found[1]}-{found[2]}-{found[3]}" if found else _of_x_ray(x_ray)


def trace_of(traceparent: str) -> str:
    """The trace's id; nothing if that is no traceparent."""
    found = FIRST.fullmatch(traceparent)
    return found[1] if found else ""


def child_of(traceparent: str) -> str:
    """For a call of ours: the same trace, with a new id for the span."""
    found = FIRST.fullmatch(traceparent)
    return f"00-{found[1]}-{secrets.token_hex(8)}-{found[3]}" if found else ""


def x_ray_of(traceparent: str) -> str:
    """As AWS's services take it."""
    found = FIRST.fullmatch(traceparent)
    if not found:
        return ""
    return f"Root=1-{found[1][:8]}-{found[1][8:]};Parent={found[2]};Sampled={int(found[3], 16) & SAMPLED}"


def _of_x_ray(header: str) -> str:
    """A load balancer names no parent: then the trace begins with us."""
    given = dict(part.strip().split("=", 1) for part in header[:200].split(";") if "=" in part)
    root = X_RAY_ROOT.fullmatch(given.get("Root", ""))
    if not root:
        return ""
    parent = given.get("Parent", "")
    span = parent if X_RAY_PARENT.fullmatch(parent) else secrets.token_hex(8)
    return f"00-{root[1]}{root[2]}-{span}-{'01' if given.get('Sampled') == '1' else '00'}"
