"""What the API reference needs to know of the project's docstrings."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object


class SingularExamples(Extension):
    """Shows the section "Example" as code, as it does "Examples"."""

    def on_object(self, *, obj: Object, **_: Any) -> None:  # noqa: ANN401  # what griffe passes to every extension
        """Rename the section where it stands."""
        if obj.docstring:
            obj.docstring.value = re.sub(r"^( *)Example:$", r"\1Examples:", obj.docstring.value, flags=re.M)
