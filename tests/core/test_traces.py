"""What headers say of a trace, and what is said of it to others."""

import pytest

from core.traces import child_of, trace_of, traceparent_of, x_ray_of

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
X_RAY = f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SPAN};Sampled=1"


@pytest.mark.parametrize(("w3c", "x_ray", "found"), [
    (f"00-{TRACE}-{SPAN}-01", "", f"00-{TRACE}-{SPAN}-01"),
    (f"00-{TRACE}-{SPAN}-01", "Root=1-5759e988-bd862e3fe1be46a994272793", f"00-{TRACE}-{SPAN}-01"),
    (f"cc-{TRACE}-{SPAN}-01-what-comes-later", "", f"00-{TRACE}-{SPAN}-01"),
    ("", X_RAY, f"00-{TRACE}-{SPAN}-01"),
    ("", f"Self=1-0af76519-00;Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SPAN}", f"00-{TRACE}-{SPAN}-00"),
    ("nonsense", X_RAY, f"00-{TRACE}-{SPAN}-01"),
    *((wrong, "", "") for wrong in (
        "", f"00-{TRACE}-{SPAN}", f"00-{TRACE}-{SPAN}-01-more", f"ff-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE.upper()}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-01more", "Root=1-nonsense",
    )),
])
def test_reads_either_header(w3c: str, x_ray: str, found: str) -> None:
    assert traceparent_of(w3c, x_ray) == found


def test_without_a_parent_the_trace_begins_here() -> None:
    found = traceparent_of("", f"Root=1-{TRACE[:8]}-{TRACE[8:]}")
    assert trace_of(found) == TRACE and found.endswith("-00")


def test_a_call_is_a_span_of_its_own_in_the_same_trace() -> None:
    given = f"00-{TRACE}-{SPAN}-01"
    one, other = child_of(given), child_of(given)
    assert trace_of(one) == trace_of(other) == TRACE and len({one, other, given}) == 3
    assert one.endswith("-01") and child_of("") == child_of("nonsense") == ""


def test_aws_is_told_in_its_own_way() -> None:
    assert x_ray_of(f"00-{TRACE}-{SPAN}-01") == X_RAY
    assert x_ray_of(f"00-{TRACE}-{SPAN}-02").endswith("Sampled=0") and x_ray_of("") == ""
