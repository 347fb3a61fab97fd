"""What all that need a real server start it with."""

import pytest

pytest.importorskip("stance.server.app", reason="the extra web is not installed")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # it ends its thread by SystemExit
def test_a_server_that_does_not_start_is_an_error_and_not_waited_for(client, classifier):
    from stance.server.options import Options
    from tools.serving import serving

    with pytest.raises(RuntimeError, match="did not start"), serving(classifier, Options(port=client.port)):
        pass


def test_a_server_stops_when_what_needs_it_fails(serve):
    with pytest.raises(KeyError), serve() as client:
        raise KeyError
    assert not client.thread.is_alive()
