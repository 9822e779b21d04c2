"""XML that means harm, each with the word it is refused by. Run as a program it says how much memory refusing takes."""

from __future__ import annotations

import resource
import sys
import tracemalloc
from pathlib import Path

MEGABYTE = 1_000_000

_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BILLION_LAUGHS = f'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY l0 "lol">{_LAUGHS}]><POSLog>&l9;</POSLog>'
_LONG = "x" * 100_000
QUADRATIC = f'<!DOCTYPE q [<!ENTITY q "{_LONG}">]><POSLog>{"&q;" * 10_000}</POSLog>'


def _external(what: str) -> str:
    return f"<!DOCTYPE e [<!ENTITY e {what}>]><POSLog>&e;</POSLog>"


def hostile(secret: Path) -> dict[str, tuple[bytes, str]]:
    """Documents by name, with the reason each is refused for; some would read the file `secret`."""
    utf16 = '<?xml version="1.0" encoding="UTF-16"?>' + _external(f'SYSTEM "{secret.as_uri()}"')
    utf7 = '<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE e SYSTEM "file:///etc/passwd"+AD4-<POSLog/>'
    many = " ".join(f'a{n}="1"' for n in range(60_000))
    return {
        "billion laughs": (BILLION_LAUGHS.encode(), "unsafe-xml"),
        "quadratic blow-up": (QUADRATIC.encode(), "unsafe-xml"),
        "external entity, file": (_external(f'SYSTEM "{secret.as_uri()}"').encode(), "unsafe-xml"),
        "external entity, host": (_external('SYSTEM "http://127.0.0.1:9/x"').encode(), "unsafe-xml"),
        "parameter entity": (
            f'<!DOCTYPE e [<!ENTITY % p SYSTEM "{secret.as_uri()}"> %p;]><POSLog/>'.encode(),
            "unsafe-xml",
        ),
        "external DTD": (f'<!DOCTYPE POSLog SYSTEM "{secret.as_uri()}"><POSLog/>'.encode(), "unsafe-xml"),
        "document type in a comment's clothes": (b"<!-- --><!DOCTYPE POSLog><POSLog/>", "unsafe-xml"),
        "UTF-16, little end first": (utf16.encode("utf-16"), "unsafe-xml"),
        "UTF-16, big end first, no mark": (utf16.encode("utf-16-be"), "unsafe-xml"),
        "UTF-32": (utf16.encode("utf-32"), "unsafe-xml"),
        "UTF-7": (utf7.encode(), "unsafe-xml"),
        "EBCDIC": ('<?xml version="1.0" encoding="IBM037"?><POSLog/>'.encode("cp037"), "unsafe-xml"),
        "says EBCDIC": (b'<?xml version="1.0" encoding="IBM037"?><POSLog/>', "unsafe-xml"),
        "overlong UTF-8": (b"<POSLog>\xc0\xbc!DOCTYPE\xc0\xbe</POSLog>", "unsafe-xml"),
        "undeclared entity": (b"<POSLog>&xxe;</POSLog>", "not-xml"),
        "no end": (b"<POSLog><Transaction>", "not-xml"),
        "two roots": (b"<POSLog/><POSLog/>", "not-xml"),
        "a name used twice": (b'<POSLog a="1" a="2"/>', "not-xml"),
        "nothing": (b"  \n ", "not-xml"),
        "a forbidden letter": (b"<POSLog>&#0;</POSLog>", "not-xml"),
        "nested, half a megabyte": (b"<a>" * (500_000 // 3), "too-large"),
        "nested, 10 MB": (b"<a>" * (10 * MEGABYTE // 3), "too-large"),
        "60,000 attributes": (f"<POSLog {many}/>"[:500_000].encode() + b'"/>', "too-large"),
        "a million attributes": (b"<POSLog " + b'a="1" ' * MEGABYTE + b"/>", "too-large"),
        "100,000 elements": (b"<POSLog>" + b"<b/>" * 100_000 + b"</POSLog>", "too-large"),
        "one long text": (b"<POSLog>" + b"x" * 400_000 + b"</POSLog>", "too-large"),
        "one long attribute": (b'<POSLog a="' + b"x" * 400_000 + b'"/>', "too-large"),
        "one long name": (b"<P" + b"x" * 20_000 + b"/>", "too-large"),
        "many namespaces": (
            b"<POSLog " + b" ".join(b'xmlns:n%d="u:%d"' % (n, n) for n in range(20_000)) + b"/>",
            "too-large",
        ),
    }


def _measure() -> None:
    """Refuse everything three times; print the growth of memory in bytes, Python's own and the process's."""
    from edge.errors import MessageRejected
    from edge.pos_bridge.guard import parse_xml

    documents = hostile(Path(__file__))
    parse_xml(b"<POSLog/>")
    tracemalloc.start()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(3):
        for payload, _reason in documents.values():
            try:
                parse_xml(payload)
            except MessageRejected:
                continue
            sys.exit("something was taken")
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    sys.stdout.write(f"{tracemalloc.get_traced_memory()[1]} {grown}\n")


if __name__ == "__main__":
    _measure()
