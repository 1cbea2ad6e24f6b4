"""Answer with the predictions of a saved model over HTTP. It needs keraflow and the standard library, and computes with NumPy.

Run it with ``python examples/serve.py model.keraflow``, and ask::

    curl http://127.0.0.1:8000/
    curl http://127.0.0.1:8000/predict --data '{"image": [[0.0, 0.5, ...], ...]}'

The first shows the names and shapes of the inputs. The second gives a list of samples for each of them, or just the list if
there is one input, and gets a list for each output. Anybody who reaches the port may ask: put a server that knows who is
allowed to in front of it before it listens elsewhere than on this machine.
"""
import argparse
import io
import json
import os
import sys
import time
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

os.environ.setdefault('KERAFLOW_BACKEND', 'numpy')      # before the first layer is made

import keraflow  # noqa: E402
from keraflow.errors import KeraFlowError, KeraFlowWarning  # noqa: E402

MOST_BYTES = 2 ** 24
SECONDS = 10        # that a client has for a whole request, and for reading the answer, however slowly it sends


class Refused(Exception):
    """A request that is not answered, with the status and the reason."""


class Received(io.RawIOBase):
    """What a connection receives until a time."""

    def __init__(self, connection):
        self.connection = connection
        self.end = 0

    def readable(self):
        return True

    def readinto(self, buffer):
        # A timeout of the connection alone would begin anew with each byte.
        self.connection.settimeout(max(self.end - time.monotonic(), 1e-3))
        return self.connection.recv_into(buffer)


class Predictions(BaseHTTPRequestHandler):
    """Answers one connection, in a thread of its own."""

    protocol_version = 'HTTP/1.1'       # a client may ask again on the same connection
    disable_nagle_algorithm = True      # a short answer is sent at once

    def setup(self):
        super().setup()
        self.rfile.close()
        self.received = Received(self.connection)
        self.rfile = io.BufferedReader(self.received)

    def handle_one_request(self):
        self.received.end = time.monotonic() + SECONDS
        super().handle_one_request()        # which ends the connection when the time is over

    def do_GET(self):
        # A body is not read, and would be taken for the next request.
        self.close_connection |= 'Content-Length' in self.headers or 'Transfer-Encoding' in self.headers
        if self.path == '/':
            model = self.server.model
            inputs = {name: {'shape': one.shape[1:], 'dtype': one.dtype} for name, one in zip(model.input_names(), model.inputs)}
            self.answer(200, {'inputs': inputs, 'outputs': model.output_names()})
        else:
            self.answer(404, {'error': f'There is no {self.path[:60]}. Get / or post to /predict.'})

    def do_POST(self):
        try:
            self.answer(200, self.predictions())
        except Refused as refusal:
            self.answer(*refusal.args)
        except (KeraFlowError, KeraFlowWarning) as error:       # the model does not take these arrays
            self.answer(400, {'error': str(error)})

    def predictions(self):
        """Return predictions for the samples in the body of the request, by name of the output."""
        model, lengths = self.server.model, self.headers.get_all('Content-Length', [])
        length = ', '.join(lengths)
        # With several lengths, or in chunks, the body could end elsewhere for a server in front of this one.
        if not length.isdecimal() or len(length) > 20 or 'Transfer-Encoding' in self.headers:
            self.close_connection = True
            raise Refused(400, {'error': f'Content-Length: expected a number of bytes, received {length[:60] or "none"}.'})
        if int(length) > MOST_BYTES:
            self.close_connection = True
            raise Refused(413, {'error': f'Content-Length: expected at most {MOST_BYTES}, received {length}.'})
        body = self.rfile.read(int(length))
        if self.path != '/predict':
            raise Refused(404, {'error': f'There is no {self.path[:60]}. Get / or post to /predict.'})
        try:
            given = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise Refused(400, {'error': f'The body is not JSON: {error}'}) from None
        found = model.predict(given if isinstance(given, dict) else dict.fromkeys(model.input_names()[:1], given))
        found = {name: array.tolist() for name, array in zip(model.output_names(), found if isinstance(found, list) else [found])}
        try:
            json.dumps(found, allow_nan=False)
        except ValueError:
            raise Refused(422, {'error': 'The predictions are not all finite.'}) from None
        return found

    def answer(self, status, content):
        """Send the answer."""
        self.connection.settimeout(SECONDS)     # for all of it
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Write no line for each request."""


def main(argv=None):
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('model', help='a file that model.save wrote')
    parser.add_argument('--host', default='127.0.0.1', help='where to listen (127.0.0.1: this machine alone)')
    parser.add_argument('--port', type=int, default=8000, help='0 takes one that is free (8000)')
    args = parser.parse_args(argv)
    with ThreadingHTTPServer((args.host, args.port), Predictions) as server:
        server.model = keraflow.load(args.model)
        warnings.simplefilter('error', KeraFlowWarning)     # such as infinite data, which the client hears of
        print(f'http://{args.host}:{server.server_port}/ answers with predictions of {args.model}', flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0


if __name__ == '__main__':
    sys.exit(main())
