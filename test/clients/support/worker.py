"""What the Python clients have in common: a job (job.ts) on the command line, a line per answer on the output."""
import hashlib
import json
import sys
import threading

UNIT = 'the quick brown fox jumps over the lazy dog '
job = json.loads(sys.argv[1])


def record_of(i, record):
    unit = '%d:%s' % (i, UNIT)
    size = record['size']
    value = (unit * (size // len(unit) + 1))[:size].encode()
    key = b'key-%d' % i if record['key'] else None
    headers = [('first', b'value-%d' % i), ('second', b'x')] if record['headers'] else []
    return key, value, headers


def tell_record(offset, key, value, headers):
    print(json.dumps({
        'offset': offset,
        'key': None if key is None else key.decode(),
        'size': len(value),
        'sha1': hashlib.sha1(value).hexdigest(),
        'headers': {name: text.decode() for name, text in headers},
    }), flush=True)


class Stream:
    """Going until standard input ends."""

    def __init__(self):
        self.going = True
        threading.Thread(target=self.wait, daemon=True).start()

    def wait(self):
        sys.stdin.read()
        self.going = False
