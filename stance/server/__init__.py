"""The HTTP server and its page: ``stance serve``."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from stance.extras import require

if TYPE_CHECKING:
    from stance.server.options import Options


def serve(options: Options) -> None:
    """Load the model, and answer requests until the process is told to stop.

    Args:
        options: Where to listen, and the limits.

    Raises:
        ModuleNotFoundError: If the packages of the extra ``web`` are missing.
        OSError: If the token or the model cannot be read.

    """
    for module in ("fastapi", "uvicorn", "prometheus_client"):
        require(module, "web")
    from stance.classifier import StanceClassifier
    from stance.server.app import create_server

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    classifier = StanceClassifier.from_pretrained(options.model)
    classifier.classify("The first text takes longer.")
    create_server(classifier, options).run()
