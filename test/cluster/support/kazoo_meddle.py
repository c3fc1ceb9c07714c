"""Carries out the deeds that stand as JSON on standard input, as root of CONNECT; a node that is there, or not, is no matter."""
import json
import sys

from kazoo.client import KazooClient
from kazoo.exceptions import NodeExistsError, NoNodeError, NotEmptyError

client = KazooClient(hosts=sys.argv[1], timeout=10)
client.start(timeout=10)
for deed in json.load(sys.stdin):
    kind, path, data = deed['deed'], deed['path'], deed.get('data', '').encode()
    try:
        if kind == 'create':
            client.create(path, data)
        elif kind == 'sequence':
            client.create(path, data, sequence=True)
        elif kind == 'set':
            client.set(path, data)
        else:
            client.delete(path, recursive=True)
    except (NodeExistsError, NoNodeError, NotEmptyError):
        pass
client.stop()
