"""The HTTP server and its page: ``stance serve``."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stance.server.options import Options


def serve(options: Options) -> None:
    """Load the model, and answer requests until the process is told to stop.

    Args:
        options: Where to listen, and the limits.

    Raises:
        ImportError: If the packages of the extra ``web`` are missing.
        OSError: If the token or the model cannot be read.

    """
    try:
        from stance.server.app import create_server
    except ImportError as error:
        raise ImportError(f"stance serve needs {error.name}; pip install 'stance[web]'") from error
    from stance.classifier import StanceClassifier

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    classifier = StanceClassifier.from_pretrained(options.model)
    classifier.classify("The first text takes longer.")
    create_server(classifier, options).run()
