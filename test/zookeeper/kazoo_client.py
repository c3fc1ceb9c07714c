"""What kazoo users do, against the server on 127.0.0.1:PORT; prints one line per finding, and fails loudly."""
import sys
import threading

from kazoo.client import KazooClient
from kazoo.exceptions import (
    BadVersionError, NoAuthError, NoChildrenForEphemeralsError, NodeExistsError, NoNodeError, NotEmptyError, RolledBackError,
)
from kazoo.security import make_digest_acl


def start(port, **options):
    client = KazooClient(hosts='127.0.0.1:%s' % port, timeout=10, **options)
    client.start(timeout=10)
    return client


def raises(error, call, *arguments, **options):
    try:
        call(*arguments, **options)
    except error:
        return
    raise AssertionError('no %s' % error.__name__)


def main(port):
    one, two = start(port), start(port)
    one.ensure_path('/kazoo/deep/er')
    assert one.create('/kazoo/e', b'x', ephemeral=True) == '/kazoo/e'
    assert one.create('/kazoo/s-', sequence=True) == '/kazoo/s-0000000002'
    raises(NodeExistsError, one.create, '/kazoo/e')
    raises(NoNodeError, one.create, '/nix/e')
    raises(NoChildrenForEphemeralsError, one.create, '/kazoo/e/x')
    raises(NotEmptyError, one.delete, '/kazoo')
    raises(BadVersionError, one.set, '/kazoo/e', b'y', version=3)
    data, stat = two.get('/kazoo/e')
    assert data == b'x' and stat.owner_session_id == one.client_id[0]
    transaction = one.transaction()
    transaction.check('/kazoo', 0)
    transaction.create('/kazoo/t', b'1')
    transaction.set_data('/kazoo/t', b'2', version=0)
    assert transaction.commit()[1] == '/kazoo/t'
    transaction = one.transaction()
    transaction.create('/kazoo/u')
    transaction.delete('/kazoo/nix')
    results = transaction.commit()
    assert isinstance(results[0], RolledBackError) and isinstance(results[1], NoNodeError), results
    print('nodes and transactions')

    seen, told = [], threading.Event()

    def watch(event):
        seen.append((event.type, event.path))
        told.set()

    two.get_children('/kazoo', watch=watch)
    one.delete('/kazoo/t')
    assert told.wait(5) and seen == [('CHILD', '/kazoo')], seen
    children = []
    changed = threading.Semaphore(0)

    @two.ChildrenWatch('/kazoo')
    def on_children(names):
        children.append(sorted(names))
        changed.release()

    changed.acquire(timeout=5)
    one.create('/kazoo/new')
    changed.acquire(timeout=5)
    assert 'new' in children[-1], children
    print('watches')

    guarded = start(port, auth_data=[('digest', 'joe:pass')])
    guarded.create('/kazoo/secret', b'x', acl=[make_digest_acl('joe', 'pass', all=True)])
    raises(NoAuthError, one.get, '/kazoo/secret')
    assert guarded.get('/kazoo/secret')[0] == b'x'
    one.add_auth('digest', 'joe:pass')
    assert one.get('/kazoo/secret')[0] == b'x'
    print('access control')

    lock, other = one.Lock('/kazoo/lock', 'one'), two.Lock('/kazoo/lock', 'two')
    assert lock.acquire(timeout=5)
    assert not other.acquire(blocking=False)
    lock.release()
    assert other.acquire(timeout=5)
    other.release()
    leaders = []
    two.Election('/kazoo/election', 'two').run(lambda: leaders.append('two'))
    counter = one.Counter('/kazoo/counter')
    counter += 3
    assert two.Counter('/kazoo/counter').value == 3 and leaders == ['two']
    queue = one.Queue('/kazoo/queue')
    queue.put(b'a')
    queue.put(b'b')
    assert [queue.get(), queue.get()] == [b'a', b'b']
    print('recipes')

    assert two.exists('/kazoo/e')
    gone = threading.Event()
    two.exists('/kazoo/e', watch=lambda event: gone.set())
    one.stop()
    assert gone.wait(5) and not two.exists('/kazoo/e')
    assert two.command(b'ruok') == 'imok' and two.server_version() >= (3, 8, 4)
    guarded.delete('/kazoo', recursive=True)
    two.stop()
    guarded.stop()
    print('the end of a session')


main(sys.argv[1])
