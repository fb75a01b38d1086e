"""The child: `python -I -m sheka.office.documents.examination.child '{"form": "pdf", …}'`, the file on its input.

It bounds itself first: memory, processor time, no file to write, no core. It answers one line of JSON and, when the
file is fit, the clean content after it. Whatever else happens to it, the upload is refused.
"""

from __future__ import annotations

import json
import resource
import sys

MEMORY = 1 << 30
SECONDS = 20
BOUNDS = (
    (resource.RLIMIT_AS, MEMORY),
    (resource.RLIMIT_CPU, SECONDS),
    (resource.RLIMIT_FSIZE, 0),
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_NOFILE, 32),
)


def main() -> None:
    """Examine standard input."""
    for name, value in BOUNDS:
        resource.setrlimit(name, (value, value))
    from sheka.office.documents.examination.images import Clean, clean_image
    from sheka.office.documents.examination.refusing import Unfit

    asked = json.loads(sys.argv[1])
    content = sys.stdin.buffer.read()
    try:
        if asked["form"] == "pdf":
            from sheka.office.documents.examination.pdfs import clean_pdf

            clean: Clean = clean_pdf(content, pixels=asked["pixels"], pages=asked["pages"])
        else:
            clean = clean_image(content, asked["form"], pixels=asked["pixels"], photo=asked["photo"])
    except Unfit as unfit:
        head, content = {"unfit": unfit.code, "facts": unfit.facts}, b""
    except MemoryError:
        head, content = {"unfit": "DOCUMENT_EXPANDS", "facts": {"limit": MEMORY >> 20}}, b""
    else:
        head = {"width": clean.width, "height": clean.height, "pages": clean.pages}
        content = clean.content
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + content)


if __name__ == "__main__":
    main()
